import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const COMMAND = fileURLToPath(new URL('./command.mjs', import.meta.url));
const SPEAKS = `console.log('to stdout'); console.error('to stderr'); process.exit(3)`;

test('what a program says that is run quietly is kept, and nobody else hears it', () => {
  const program = `import { quietly } from ${JSON.stringify(COMMAND)};
    const { code, output } = await quietly(process.execPath, ['-e', ${JSON.stringify(SPEAKS)}]);
    console.log(JSON.stringify([code, output.split('\\n').sort()]));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toBe(`${JSON.stringify([3, ['', 'to stderr', 'to stdout']])}\n`);
});
