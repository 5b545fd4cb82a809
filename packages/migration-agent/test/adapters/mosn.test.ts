// MOSN itself is in mosn-real.test.ts. Here a stand-in speaks its upgrade protocol as it was observed on MOSN 1.6.0, and does at the right
// moment what MOSN cannot be made to do: these tests are about the agent, not about MOSN.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { type Fixture, until } from '../processes.js';
import { serving as isServing, SLOW_TEST_MS, useStage } from '../stage.js';

const STAND_IN = fileURLToPath(new URL('../../fixtures/mosn-stand-in.mjs', import.meta.url));

describe('the mosn adapter, with a stand-in for MOSN', () => {
  const stage = useStage();

  function mosn(says: string, more: Record<string, unknown> = {}, env: Record<string, string> = {}): Fixture {
    const { pod } = stage;
    const file = join(pod.directory, `${says}.json`);
    const address = { address: '127.0.0.1', port: pod.port, uds_dir: pod.directory };
    writeFileSync(file, JSON.stringify({ ...address, says, sleepMs: 100, waitMs: 300, ...more }));
    const command = [process.execPath, STAND_IN, 'start', '-c', file];
    return pod.agent(['run', '--adapter', 'mosn', '--', ...command], { SIDESTEP_GUARD_SECONDS: '1', ...env });
  }

  const serving = (says: string, more?: Record<string, unknown>, env?: Record<string, string>): Promise<Fixture> =>
    isServing(mosn(says, more, env));

  test(
    'the new one fetches the sockets itself, the old one leaves when it wants, and nobody is refused',
    async () => {
      const first = await serving('v1');
      await stage.clients();
      const second = await serving('v2');
      await stage.answeredBy('v2');
      expect((await first.exited).code).toBe(0);
      await serving('v3');
      await stage.answeredBy('v3');
      expect((await second.exited).code).toBe(0);
      await stage.nothingLost();
    },
    SLOW_TEST_MS,
  );

  test(
    'a new one that fails before it has acknowledged changes nothing',
    async () => {
      const first = await serving('v1');
      await stage.clients();
      const second = mosn('v2', { hangBeforeAck: true }, { SIDESTEP_INIT_SECONDS: '1' });
      expect((await second.exited).code).toBe(1);
      expect(second.stderr).toContain('was not ready within 1 s ("state changed to 6" was not printed)');
      await stage.answeredBy('v1');
      await stage.nobodyRefused();
      expect(first.told.filter(({ event }) => event === 'program-has-left')).toEqual([]);
    },
    SLOW_TEST_MS,
  );

  test(
    'a new one that dies after it has acknowledged: the old one, which leaves all the same, is started again',
    async () => {
      const first = await serving('v1', { waitMs: 60_000 });
      const second = mosn('v2', { dieAfterAck: true });
      expect((await second.exited).code).toBe(1);
      await first.heard('program-has-left');
      await stage.clients();
      await stage.answeredBy('v1');
      expect(first.running).toBe(true);
    },
    SLOW_TEST_MS,
  );

  test(
    'a new one that dies in the guard: what is left of the old one is ended, so that it can be started again',
    async () => {
      const first = await serving('v1', { waitMs: 60_000 }, { SIDESTEP_GUARD_SECONDS: '30' });
      const second = await serving('v2');
      second.child.kill('SIGKILL');
      await first.heard('resumed');
      await stage.clients();
      await stage.answeredBy('v1');
    },
    SLOW_TEST_MS,
  );

  test(
    'an agent of the new one that does not run for a second costs nothing: its MOSN serves, and the old one is not started again',
    async () => {
      const first = await serving('v1', { waitMs: 60_000 }, { SIDESTEP_GUARD_SECONDS: '60' });
      const second = await serving('v2');
      await stage.clients();
      second.child.kill('SIGSTOP');
      const stoppedAt = performance.now();
      await until(() => performance.now() - stoppedAt > 1_000, 'a second is over');
      await stage.answeredBy('v2');
      second.child.kill('SIGCONT');
      await stage.answeredBy('v2');
      await stage.nothingLost();
      expect(first.told.filter(({ event }) => event === 'accepting-again')).toEqual([]);
    },
    SLOW_TEST_MS,
  );

  test(
    'SIGTERM with no successor ends it',
    async () => {
      const only = await serving('v1');
      only.child.kill('SIGTERM');
      expect((await only.exited).code).toBe(0);
    },
    SLOW_TEST_MS,
  );

  test(
    '--listen is refused: MOSN opens its sockets itself',
    async () => {
      const wrong = stage.pod.agent([
        'run',
        '--adapter',
        'mosn',
        '--listen',
        `web=127.0.0.1:${stage.pod.port}`,
        '--',
        'true',
      ]);
      expect((await wrong.exited).code).not.toBe(0);
      expect(wrong.stderr).toContain('remove --listen');
    },
    SLOW_TEST_MS,
  );
});
