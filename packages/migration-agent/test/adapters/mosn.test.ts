// MOSN itself cannot be had where these tests run: its Go modules are not to be fetched. What runs is a stand-in that speaks MOSN's
// upgrade protocol as it was observed on MOSN 1.6.0, so these tests are about the agent, not about MOSN.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Load } from '../load.js';
import { type Fixture, Pod, until } from '../processes.js';

const STAND_IN = fileURLToPath(new URL('../../fixtures/mosn-stand-in.mjs', import.meta.url));
const isOwner = ({ role }: { role?: string }) => role === 'owner';

describe('the mosn adapter, with a stand-in for MOSN', () => {
  let pod: Pod;
  let load: Load | undefined;
  beforeEach(async () => {
    pod = await Pod.create();
  });
  afterEach(async () => {
    await load?.stop();
    load = undefined;
    await pod.close();
  });

  function mosn(says: string, more: Record<string, unknown> = {}, env: Record<string, string> = {}): Fixture {
    const file = join(pod.directory, `${says}.json`);
    const address = { address: '127.0.0.1', port: pod.port, uds_dir: pod.directory };
    writeFileSync(file, JSON.stringify({ ...address, says, sleepMs: 100, waitMs: 300, ...more }));
    const command = [process.execPath, STAND_IN, 'start', '-c', file];
    return pod.agent(['run', '--adapter', 'mosn', '--', ...command], { SIDESTEP_GUARD_SECONDS: '1', ...env });
  }

  async function serving(says: string, more?: Record<string, unknown>, env?: Record<string, string>): Promise<Fixture> {
    const fixture = mosn(says, more, env);
    await fixture.heard(isOwner);
    return fixture;
  }

  async function clients(): Promise<Load> {
    load = new Load({ port: pod.port, short: 4, pauseMs: 2 });
    await load.answered(20);
    return load;
  }

  const answeredBy = async (label: string, running: Load): Promise<void> => {
    const before = running.seen.versions.get(label) ?? 0;
    await until(() => (running.seen.versions.get(label) ?? 0) > before + 20, `${label} answers`);
  };

  test('the new one fetches the sockets itself, the old one leaves when it wants, and nobody is refused', async () => {
    const first = await serving('v1');
    const running = await clients();
    const second = await serving('v2');
    await answeredBy('v2', running);
    expect((await first.exited).code).toBe(0);
    await serving('v3');
    await answeredBy('v3', running);
    expect((await second.exited).code).toBe(0);
    const { refused, otherErrors } = await running.stop();
    expect({ refused, otherErrors }).toEqual({ refused: 0, otherErrors: [] });
  }, 120_000);

  test('a new one that fails before it has acknowledged changes nothing', async () => {
    const first = await serving('v1');
    const running = await clients();
    const second = mosn('v2', { hangBeforeAck: true }, { SIDESTEP_INIT_SECONDS: '1' });
    expect((await second.exited).code).toBe(1);
    expect(second.stderr).toContain('state changed to 6');
    await answeredBy('v1', running);
    expect((await running.stop()).refused).toBe(0);
    expect(first.told.filter(({ event }) => event === 'program-has-left')).toEqual([]);
  }, 120_000);

  test('a new one that dies after it has acknowledged: the old one, which leaves all the same, is started again', async () => {
    const first = await serving('v1', { waitMs: 60_000 });
    const second = mosn('v2', { dieAfterAck: true });
    expect((await second.exited).code).toBe(1);
    await first.heard('program-has-left');
    const running = await clients();
    await answeredBy('v1', running);
    await running.stop();
    expect(first.running).toBe(true);
  }, 120_000);

  test('a new one that dies in the guard: what is left of the old one is ended, so that it can be started again', async () => {
    const first = await serving('v1', { waitMs: 60_000 }, { SIDESTEP_GUARD_SECONDS: '30' });
    const second = await serving('v2');
    second.child.kill('SIGKILL');
    await first.heard('resumed');
    const running = await clients();
    await answeredBy('v1', running);
    await running.stop();
  }, 120_000);

  test('SIGTERM with no successor ends it', async () => {
    const only = await serving('v1');
    only.child.kill('SIGTERM');
    expect((await only.exited).code).toBe(0);
  }, 120_000);

  test('--listen is refused: MOSN opens its sockets itself', async () => {
    const wrong = pod.agent(['run', '--adapter', 'mosn', '--listen', `web=127.0.0.1:${pod.port}`, '--', 'true']);
    expect((await wrong.exited).code).not.toBe(0);
    expect(wrong.stderr).toContain('remove --listen');
  }, 120_000);
});
