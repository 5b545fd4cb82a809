import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const BUILT = fileURLToPath(new URL('../dist/index.js', import.meta.url));

/** Logs far more than a pipe holds, and says on its standard error that it goes on all the same. */
const PROGRAM = `
import { createLogger, onStopSignals } from ${JSON.stringify(BUILT)};
const log = createLogger({ name: 'chatty', level: 'info' });
onStopSignals({ process, log, stop: async () => {} });
let lines = 0;
setInterval(() => {
  for (let i = 0; i < 200; i += 1) log.info({ pad: 'x'.repeat(500) }, 'line');
  lines += 200;
  if (lines === 10_000) process.stderr.write('wrote');
}, 1);
`;

const start = (): ChildProcess => spawn(process.execPath, ['--input-type=module', '-e', PROGRAM]);

const stopped = async (child: ChildProcess): Promise<unknown[]> => {
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  return exit;
};

test('a process whose log nobody reads goes on, and ends at SIGTERM', async () => {
  const child = start();
  child.stdout?.pause();
  await once(child.stderr!, 'data');
  expect(await stopped(child)).toEqual([0, null]);
});

test('a process whose log pipe is closed goes on, and ends at SIGTERM', async () => {
  const child = start();
  child.stdout?.destroy();
  await once(child.stderr!, 'data');
  expect(await stopped(child)).toEqual([0, null]);
});

test('what is logged right before the end arrives', async () => {
  const program = `
    import { createLogger } from ${JSON.stringify(BUILT)};
    const log = createLogger({ name: 'short', level: 'info' });
    for (let i = 0; i < 100; i += 1) log.info({ i }, 'line');
    process.exit(0);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  expect(text.trim().split('\n')).toHaveLength(100);
});
