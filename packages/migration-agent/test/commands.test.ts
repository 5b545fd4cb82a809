import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Load } from './load.js';
import { AGENT_BIN, type Fixture, Pod, type Told, until } from './processes.js';
import { isOwner } from './stage.js';

const ACTIVATED = fileURLToPath(new URL('../fixtures/activated.mjs', import.meta.url));

let pod: Pod;
beforeEach(async () => {
  pod = await Pod.create();
});
afterEach(() => pod.close());

/** Both containers of a hot pair see the same directory and differ in these two variables only. */
function pair(version: number, alternative: number): Record<string, string> {
  return { SIDECARSET_VERSION: String(version), SIDECARSET_VERSION_ALT: String(alternative) };
}

function run(given: Record<string, unknown>, env: Record<string, string> = {}, options: string[] = []): Fixture {
  const listen = ['--listen', `web=127.0.0.1:${pod.port}`, ...options];
  return pod.agent(['run', ...listen, '--', process.execPath, ACTIVATED, JSON.stringify(given)], {
    SIDESTEP_GUARD_SECONDS: '1',
    ...env,
  });
}

/** Resolves when somebody has answered, or has ended before. */
const asked = (path: string): Promise<void> =>
  new Promise((resolve) => {
    const sent = get({ host: '127.0.0.1', port: pod.port, path, agent: false }, (answer) => {
      answer.resume().once('close', () => resolve());
    });
    sent.once('error', () => resolve());
  });

/** As where other containers of the node have used them up. */
function withoutWatches(args: string[], env: Record<string, string>): Fixture {
  const none = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"';
  const own = ['--user', '--map-root-user', 'sh', '-c', none, 'sh', process.execPath, AGENT_BIN, ...args];
  return pod.program('unshare', own, { SIDESTEP_DIR: pod.directory, ...env });
}

async function statusOf(env: Record<string, string>): Promise<Partial<Told>> {
  const asked = pod.agent(['status', '--compact'], env);
  await asked.exited;
  return asked.told[0] ?? {};
}

describe('sidestep-agent run', () => {
  test('hands the sockets of an activated program to its next version without losing a request', async () => {
    const first = run({ version: 'v1' });
    await first.heard(isOwner);
    const load = new Load({ port: pod.port, short: 4, pauseMs: 2 });
    await load.answered(20);
    const second = run({ version: 'v2' });
    await second.heard(isOwner);
    await load.answered(40);
    expect((await first.exited).code).toBe(0);
    const seen = await load.stop();
    expect({ refused: seen.refused, otherErrors: seen.otherErrors }).toEqual({ refused: 0, otherErrors: [] });
    expect(seen.versions.get('v2')).toBeGreaterThan(0);
  });

  test('a program that never says it is ready is given up, and the old one serves on', async () => {
    const first = run({ version: 'v1' });
    await first.heard(isOwner);
    const load = new Load({ port: pod.port, short: 2, pauseMs: 2 });
    const second = run({ version: 'v2', ready: false }, { SIDESTEP_INIT_SECONDS: '0.5' });
    expect((await second.exited).code).toBe(1);
    expect(second.stderr).toContain('READY=1');
    await load.answered(20);
    const third = run({ version: 'v3' });
    await third.heard(isOwner);
    await load.answered(20);
    // The activated program accepts from its start on, also when its upgrade fails: nothing is refused all the same.
    expect((await load.stop()).refused).toBe(0);
  });

  test('a program that fails at its start leaves the old one serving and its own exit reason behind', async () => {
    const log = join(pod.directory, 'termination-log');
    writeFileSync(log, '');
    await run({ version: 'v1' }).heard(isOwner);
    const second = run({ version: 'v2', exitWith: 3 }, { SIDESTEP_TERMINATION_LOG: log });
    expect((await second.exited).code).toBe(1);
    expect(readFileSync(log, 'utf8')).toContain('node ended with code 3 before it was ready (no READY=1 came)');
  });

  test('when the new program dies in the guard the old version is started again from the kept sockets', async () => {
    const first = run({ version: 'v1' }, { SIDESTEP_GUARD_SECONDS: '600' });
    await first.heard(isOwner);
    const load = new Load({ port: pod.port, short: 4, pauseMs: 2 });
    await load.answered(10);
    const second = run({ version: 'v2' });
    await second.heard(isOwner);
    await until(async () => {
      await asked('/end-v2');
      return !second.running;
    }, 'the end of the new version');
    expect((await second.exited).code).toBe(7);
    await first.heard(({ event }) => event === 'resumed');
    const before = load.seen.versions.get('v1') ?? 0;
    await until(() => (load.seen.versions.get('v1') ?? 0) > before + 5, 'the old version answers again');
    expect((await load.stop()).refused).toBe(0);
  });

  test('SIGTERM lets the program finish and passes no failure on', async () => {
    const only = run({ version: 'v1' });
    await only.heard(isOwner);
    only.child.kill('SIGTERM');
    expect((await only.exited).code).toBe(0);
  });

  test('exec: the old program is stopped before the new one starts', async () => {
    const program = (version: string) => {
      const source = `require('http').createServer((q,a)=>a.end('${version}')).listen(${pod.port},'127.0.0.1')`;
      const args = [
        'run',
        '--adapter',
        'exec',
        '--listen',
        `web=127.0.0.1:${pod.port}`,
        '--',
        process.execPath,
        '-e',
        source,
      ];
      return pod.agent(args, { SIDESTEP_GUARD_SECONDS: '1' });
    };
    const first = program('v1');
    await first.heard(isOwner);
    const load = new Load({ port: pod.port, short: 2, pauseMs: 2 });
    await load.answered(5);
    await program('v2').heard(isOwner);
    await load.answered(20);
    const seen = await load.stop();
    expect(seen.versions.get('v2')).toBeGreaterThan(0);
  });
});

describe('sidestep-agent hook', () => {
  test('returns 0 within a second when the new version has taken over', async () => {
    await run({ version: 'v1' }, pair(1, 0)).heard(isOwner);
    const second = run({ version: 'v2' }, pair(5, 1));
    const hook = pod.agent(['hook'], pair(5, 1));
    expect((await hook.exited).code).toBe(0);
    expect((await statusOf(pair(5, 1))).role).toBe('owner');
    expect(second.running).toBe(true);
  });

  test('started before the agent it waits for it', async () => {
    const hook = pod.agent(['hook'], pair(3, 0));
    await run({ version: 'v1' }, pair(3, 0)).heard(isOwner);
    expect((await hook.exited).code).toBe(0);
  });

  test('returns 1 with the reason on stderr and in the termination message when the agent gave up', async () => {
    const log = join(pod.directory, 'termination-log');
    writeFileSync(log, '');
    await run({ version: 'v1' }, pair(1, 0)).heard(isOwner);
    run({ version: 'v2', ready: false }, { ...pair(5, 1), SIDESTEP_INIT_SECONDS: '1' });
    const hook = pod.agent(['hook'], { ...pair(5, 1), SIDESTEP_TERMINATION_LOG: log });
    expect((await hook.exited).code).toBe(1);
    expect(hook.stderr).toContain('READY=1');
    expect(readFileSync(log, 'utf8')).toContain('READY=1');
  });

  test('returns 1 when the new version dies right after it took over, so that the old one is not emptied', async () => {
    await run({ version: 'v1' }, { ...pair(1, 0), SIDESTEP_GUARD_SECONDS: '20' }).heard(isOwner);
    run({ version: 'v2', exitAfterMs: 300 }, pair(5, 1));
    const hook = pod.agent(['hook'], pair(5, 1));
    expect((await hook.exited).code).toBe(1);
    expect(hook.stderr).toContain('ended');
  });

  test('returns 1 when the new version hangs right after it took over, although it says nothing wrong', async () => {
    await run({ version: 'v1' }, { ...pair(1, 0), SIDESTEP_GUARD_SECONDS: '20' }).heard(isOwner);
    const second = run({ version: 'v2' }, pair(5, 1));
    const hook = pod.agent(['hook'], pair(5, 1));
    await second.heard(isOwner);
    second.child.kill('SIGSTOP');
    expect((await hook.exited).code).toBe(1);
    expect(hook.stderr).toContain('does not answer any more');
    second.child.kill('SIGKILL');
  });

  test('returns 1 when the agent is stopped while it takes over', async () => {
    await run({ version: 'v1' }, pair(1, 0)).heard(isOwner);
    const second = run({ version: 'v2', ready: false }, pair(5, 1));
    await until(async () => (await statusOf(pair(5, 1))).role === 'starting', 'the second agent has begun');
    second.child.kill('SIGSTOP');
    const hook = pod.agent(['hook'], pair(5, 1));
    expect((await hook.exited).code).toBe(1);
    expect(hook.stderr).toContain('does not answer');
    second.child.kill('SIGKILL');
  });

  test('returns 1 when no agent answers in time', async () => {
    const hook = pod.agent(['hook', '--timeout', '0.3'], pair(9, 0));
    expect((await hook.exited).code).toBe(1);
    expect(hook.stderr).toContain('no agent answered');
  });

  test('returns 0 where the kernel has no inotify watch left for it', async () => {
    await run({ version: 'v1' }, pair(3, 0)).heard(isOwner);
    const hook = withoutWatches(['hook'], pair(3, 0));
    expect((await hook.exited).code).toBe(0);
    const early = withoutWatches(['hook'], pair(5, 3));
    run({ version: 'v2' }, pair(5, 3));
    expect({ code: (await early.exited).code, stderr: early.stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('an unsafe directory is in the termination message', async () => {
    const log = join(pod.directory, 'termination-log');
    writeFileSync(log, 'the message of the run before, which is longer than what comes now: '.repeat(20));
    const file = join(pod.directory, 'a-file');
    writeFileSync(file, '');
    for (const command of [['hook'], ['custodian'], ['run', '--', 'true']]) {
      const asked = pod.agent(command, { SIDESTEP_DIR: file, SIDESTEP_TERMINATION_LOG: log });
      expect((await asked.exited).code).toBe(1);
      expect(asked.stderr).toContain(readFileSync(log, 'utf8'));
      expect(readFileSync(log, 'utf8')).toContain('a-file');
    }
  });

  test('returns 0 for the custodian', async () => {
    pod.agent(['custodian'], pair(0, 1));
    const hook = pod.agent(['hook'], pair(0, 1));
    expect((await hook.exited).code).toBe(0);
  });
});

describe('sidestep-agent custodian', () => {
  test('a crash of the only proxy refuses nobody: the restarted one fetches the sockets back', async () => {
    let proxy = run({ version: 'v1' }, pair(1, 0));
    await proxy.heard(isOwner);
    pod.agent(['custodian'], { ...pair(0, 1), SIDESTEP_GUARD_SECONDS: '0.2' });
    await until(async () => (await statusOf(pair(0, 1))).reason === 'keeping', 'the custodian has its duplicates');
    const load = new Load({ port: pod.port, short: 4, pauseMs: 2 });
    await load.answered(20);
    for (let crash = 0; crash < 3; crash++) {
      const before = load.seen.ok;
      proxy.child.kill('SIGKILL');
      await proxy.exited;
      proxy = run({ version: `restart-${crash}` }, pair(1, 0));
      await proxy.heard(isOwner);
      await until(() => load.seen.ok > before + 20, 'requests are answered again');
      await until(async () => (await statusOf(pair(0, 1))).reason === 'keeping', 'the custodian keeps the new ones');
    }
    expect((await load.stop()).refused).toBe(0);
  });

  test('keeps duplicates also where the kernel has no inotify watch left for it', async () => {
    const custodian = withoutWatches(['custodian'], pair(0, 1));
    await until(async () => (await statusOf(pair(0, 1))).role === 'idle', 'the custodian waits');
    await run({ version: 'v1' }, pair(1, 0)).heard(isOwner);
    await until(async () => (await statusOf(pair(0, 1))).reason === 'keeping', 'the custodian has its duplicates');
    custodian.child.kill('SIGTERM');
    expect((await custodian.exited).code).toBe(0);
  });

  test('ends at SIGTERM with status 0', async () => {
    const custodian = pod.agent(['custodian'], pair(0, 1));
    await until(async () => (await pod.agent(['status'], pair(0, 1)).exited).code === 0, 'it answers');
    custodian.child.kill('SIGTERM');
    expect((await custodian.exited).code).toBe(0);
  });
});

describe('wrong usage', () => {
  test.each([
    [['nonsense'], 'unknown command'],
    [['run'], 'needs a program'],
    [['run', '--adapter', 'x', '--', 'true'], 'allowed are activation'],
    [['run', '--listen', 'web=everywhere', '--', 'true'], '127.0.0.1:8080'],
    [['run', '--adapter', 'haproxy', '--ready', 'notify', '--', 'true'], 'a sign of its own'],
    [['run', '--adapter', 'haproxy', '--listen', 'dns=udp:127.0.0.1:53', '--', 'true'], 'UDP'],
    [['run', '--adapter', 'mosn', '--listen', 'web=8080', '--', 'true'], 'remove --listen'],
    [['run', '--adapter', 'nginx', '--ready', 'log:x', '--', 'true'], 'unix:/PATH'],
    [['run', '--ready', 'always', '--', 'true'], 'log:REGEX'],
    [['run', '--ready', 'log:(', '--', 'true'], 'Unterminated group'],
    [['run', '--listen', 'web=8080', '--listen', 'web=8081', '--', 'true'], 'two of this name'],
  ])('%j says what is allowed', async (args, said) => {
    const wrong = pod.agent(args);
    expect((await wrong.exited).code).toBe(2);
    expect(wrong.stderr).toContain(said);
  });
});
