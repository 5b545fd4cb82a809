import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { leaveOut } from '@sidestep/testkit';
import { type Fixture, Pod } from '../processes.js';
import { type AdapterRoom, type AdapterRun, adapterContract } from './adapter.contract.js';

const EXAMPLES = fileURLToPath(new URL('../../../../examples/socket-activation/', import.meta.url));

/** The program's answer to a harmless question, or the reason why it cannot be asked. */
function present(program: string, ...args: string[]): string | Error {
  try {
    return execFileSync(program, args, { encoding: 'utf8' });
  } catch (error) {
    return error as Error;
  }
}

function leftOut(language: string, why: string): void {
  describe(`the ${language} example`, () => {
    test('is left out of this run, with the reason', () => {
      leaveOut(`socket activation of the ${language} example`, why);
      expect(why).not.toBe('');
    });
  });
}

function subject(name: string, command: string[], options: string[]) {
  const run = (label: string, { port, upstreamPort }: AdapterRoom): AdapterRun => ({
    options: ['--listen', `web=127.0.0.1:${port}`, ...options],
    command,
    env: { VERSION: label, UPSTREAM: `http://127.0.0.1:${upstreamPort}`, UPSTREAM_PATH: '/held' },
  });
  return {
    name,
    adapter: 'activation',
    version: run,
    unready: (room: AdapterRoom) => ({ ...run('unready', room), command: ['sleep', '60'] }),
    broken: (room: AdapterRoom) => ({ ...run('broken', room), command: ['false'] }),
  };
}

const go = present('go', 'version');
if (go instanceof Error) leftOut('Go', go.message);
else {
  const scratch = mkdtempSync(join(tmpdir(), 'sidestep-go-'));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  // A checkout of another user is no repository to git, and Go would refuse to stamp it.
  const build = ['build', '-buildvcs=false', '-o', join(scratch, 'sidecar'), '.'];
  execFileSync('go', build, { cwd: join(EXAMPLES, 'go'), stdio: 'inherit' });
  describe('a Go program', () => adapterContract(subject('Go', [join(scratch, 'sidecar')], [])));
}

const python = present('python3', '--version');
if (python instanceof Error) leftOut('Python', python.message);
else {
  const command = ['python3', join(EXAMPLES, 'python', 'server.py')];
  describe('a Python program', () => adapterContract(subject('Python', command, ['--ready', 'log:^serving web$'])));
}

describe('--ready log:REGEX', () => {
  let pod: Pod;
  beforeEach(async () => {
    pod = await Pod.create();
  });
  afterEach(() => pod.close());

  const run = (sign: string, script: string, env: Record<string, string> = {}): Fixture =>
    pod.agent(['run', '--ready', sign, '--', process.execPath, '-e', script], env);

  test('takes a line of either output, and passes everything on', async () => {
    const program = run('log:^up$', "console.log('first'); console.error('up'); setInterval(() => 0, 1000)");
    await program.heard(({ role }) => role === 'owner');
    expect(program.told.filter(({ event }) => event === 'text').map(({ line }) => line)).toEqual(
      expect.arrayContaining(['first', 'up']),
    );
  }, 120_000);

  test('an output without the line is not readiness', async () => {
    const program = run('log:^up$', "console.log('not up'); setInterval(() => 0, 1000)", {
      SIDESTEP_INIT_SECONDS: '1',
    });
    expect((await program.exited).code).toBe(1);
    expect(program.stderr).toContain('no line that matches /^up$/');
  }, 120_000);

  test.each([
    ['log:(', 'Invalid regular expression'],
    ['log:', 'allows "notify"'],
    ['unix:/x', 'allows "notify"'],
  ])(
    '%s is refused',
    async (sign, said) => {
      const program = run(sign, '');
      expect((await program.exited).code).not.toBe(0);
      expect(program.stderr).toContain(said);
    },
    30_000,
  );
});
