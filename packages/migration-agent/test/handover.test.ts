import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Load } from './load.js';
import { type Fixture, openDescriptors, Pod, until } from './processes.js';

let pod: Pod;
beforeEach(async () => {
  pod = await Pod.create();
});
afterEach(() => pod.close());

async function owner(fixture: Fixture) {
  return (await fixture.heard('owner')).status;
}

describe('a chain of hand-overs under load', () => {
  test('20 in a row lose no short connection, no POST, and no keep-alive connection', async () => {
    let current = pod.server('v0');
    await owner(current);
    const load = new Load({ port: pod.port, short: 4, keepAlive: 8, pauseMs: 1 });
    await load.answered(20);
    for (let i = 1; i <= 20; i++) {
      const next = pod.server(`v${i}`, { limits: { guardMs: 100 } });
      expect((await owner(next)).handover.how).toBe('takeover');
      await load.answered(20);
      await current.exited;
      current = next;
    }
    const shortAndKept = load.seen.connections - load.seen.ok;
    const seen = await load.stop();
    expect(seen.refused).toBe(0);
    expect(seen.otherErrors).toEqual([]);
    expect(seen.versions.get('v20')).toBeGreaterThan(0);
    // Every keep-alive client connected once: all others are one connection per GET.
    expect(shortAndKept).toBeLessThanOrEqual(8);
  }, 120_000);

  test('the old process ends by itself when its guard is over and its last connection has ended', async () => {
    const first = pod.server('v1', { answerMs: 400, migrate: false });
    await owner(first);
    const load = new Load({ port: pod.port, keepAlive: 3 });
    await load.answered(3);
    const second = pod.server('v2', { answerMs: 0 });
    await owner(second);
    const { farewell } = await first.heard('done');
    expect(farewell).toMatchObject({ reason: 'drained', killed: 0 });
    expect((await first.exited).code).toBe(0);
    await load.stop();
    expect(load.seen.otherErrors).toEqual([]);
  });

  test('no descriptor is left behind in a process that was handed over to and from', async () => {
    const first = pod.server('v0');
    await owner(first);
    const before = openDescriptors(first.child.pid!);
    for (const attempt of [1, 2, 3]) {
      const dying = pod.server(`dying-${attempt}`, { interrupt: { point: 'taker:got:GO', signal: 'SIGKILL' } });
      await dying.exited;
      await until(
        () => openDescriptors(first.child.pid!) <= before,
        'the descriptors of the failed attempt are closed',
      );
    }
    expect(openDescriptors(first.child.pid!)).toBe(before);
  });

  test('app state and version labels reach the successor', async () => {
    await owner(pod.server('v1', { state: 'forty-two' }));
    const second = await pod.server('v2').heard('owner');
    expect(second.state).toBe('forty-two');
    expect(second.status.generation).toBe(1);
  });
});
