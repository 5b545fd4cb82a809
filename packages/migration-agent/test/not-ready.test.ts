import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import type { Adapter, StartTools } from '../src/adapters/adapter.js';
import { SupervisedProgram } from '../src/supervise/supervised-program.js';
import { Deadline } from './deadline.js';

/** What a start says whose adapter fails. */
async function saidBy(command: string[], failure: string, atEnd = false): Promise<string> {
  const adapter: Adapter = {
    name: 'failing',
    sharing: 'shared',
    summary: '',
    start: (tools: StartTools) => {
      const { pid } = tools.spawn(tools.command, { stdio: 'ignore' });
      if (atEnd) waitWithoutHearing(pid!);
      return Promise.reject(new Error(failure));
    },
  };
  const program = new SupervisedProgram({
    adapter,
    command,
    directory: () => '/nonexistent',
    slot: 'x',
    readySign: undefined,
    initMs: 60_000,
    listeners: () => [],
    sockets: { all: () => [], add: () => undefined, drop: () => undefined },
    drainMs: 1_000,
    env: { PATH: process.env.PATH },
    log: () => undefined,
  });
  const said = await program.start().then(
    () => 'ready',
    ({ message }: Error) => message,
  );
  await program.end(0);
  return said;
}

/** Until the process has ended; the loop does not turn meanwhile, so nobody here can know it. */
function waitWithoutHearing(pid: number): void {
  const deadline = new Deadline(60_000);
  const ended = (): boolean => / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  while (!ended() && !deadline.over) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
}

test('an adapter that stumbles over the end of its program before that is known: the end is what is said', async () => {
  expect(await saidBy(['sh', '-c', 'exit 3'], 'connect ENOENT admin', true)).toBe(
    'sh ended with code 3 before it was ready (connect ENOENT admin)',
  );
});

test('an adapter that refuses a program which lives is quoted', async () => {
  expect(await saidBy(['sleep', '60'], 'it has no "listen" for web')).toBe('it has no "listen" for web');
});
