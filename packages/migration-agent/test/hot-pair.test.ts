import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { followStatus } from '../src/status/client.js';
import { statusPath } from '../src/status/path.js';
import type { AgentStatus } from '../src/status/snapshot.js';
import { Load } from './load.js';
import { type Fixture, Pod, until } from './processes.js';

let pod: Pod;
beforeEach(async () => {
  pod = await Pod.create();
});
afterEach(() => pod.close());

/** A container of the pair: both see the same directory, and their versions as the control plane annotated them. */
function container(
  label: string,
  version: number,
  alternative: number,
  options: Record<string, unknown> = {},
): Fixture {
  const env = { SIDECARSET_VERSION: String(version), SIDECARSET_VERSION_ALT: String(alternative) };
  return pod.server(label, { afterDrain: null, ...options }, env);
}

async function reaches(slot: number, fits: (status: AgentStatus) => boolean): Promise<AgentStatus> {
  let last: AgentStatus | undefined;
  await until(async () => {
    const { status, how } = await followStatus(statusPath(pod.directory, String(slot)), fits, 5_000);
    last = status;
    return how === 'enough';
  }, `container ${slot} gets there`);
  return last!;
}

describe('the old container of a hot pair', () => {
  test('does not end when it has drained: it keeps duplicates until SIGTERM', async () => {
    const old = container('v1', 1, 0, { limits: { guardMs: 100 } });
    await old.heard('owner');
    const next = container('v2', 5, 1);
    await next.heard('owner');
    const status = await reaches(1, ({ reason }) => reason === 'keeping');
    expect(status.role).toBe('idle');
    expect(status.listeners).toHaveLength(1);
    old.child.kill('SIGTERM');
    expect((await old.exited).code).toBe(0);
  });

  test('holds the sockets when the new one crashes later, and gives them back to its restart', async () => {
    await container('v1', 1, 0, { limits: { guardMs: 100 } }).heard('owner');
    const next = container('v2', 5, 1);
    await next.heard('owner');
    await reaches(1, ({ reason }) => reason === 'keeping');
    const load = new Load({ port: pod.port, short: 3, pauseMs: 3 });
    await load.answered(5);
    next.child.kill('SIGKILL');
    await reaches(1, ({ reason }) => reason === 'holding');
    await container('v2 again', 5, 1).heard('owner');
    await load.answered(20);
    const seen = await load.stop();
    expect(seen.refused).toBe(0);
    expect(seen.versions.has('v1')).toBe(false);
  });

  test('restarted by a crash it stays idle: the newer one serves', async () => {
    await container('v1', 1, 0).heard('owner');
    await container('v2', 5, 1).heard('owner');
    container('v1 again', 1, 5, { limits: { standbyMs: 60_000 } });
    const load = new Load({ port: pod.port, short: 2, pauseMs: 3 });
    expect((await reaches(1, ({ reason }) => reason === 'keeping')).role).toBe('idle');
    await load.answered(30);
    const seen = await load.stop();
    expect([...seen.versions.keys()]).toEqual(['v2']);
  });

  test('serves after all when nobody has owned the listeners for the standby time', async () => {
    const alone = container('v1', 1, 5, { limits: { standbyMs: 300 } });
    await alone.heard('owner');
    const load = new Load({ port: pod.port, short: 1, pauseMs: 3 });
    await load.answered(3);
    await load.stop();
    expect(load.seen.versions.has('v1')).toBe(true);
  });

  test('idle at SIGTERM it ends with nothing taken over', async () => {
    const idle = container('v1', 1, 5);
    await reaches(1, ({ role }) => role === 'idle');
    idle.child.kill('SIGTERM');
    expect((await idle.heard('failed')).code).toBe('STOPPED');
  });
});

test('SIGTERM right after the commit, as a Reset sends it, loses nothing and ends the old one soon', async () => {
  const old = container('v1', 1, 0, { answerMs: 5 });
  await old.heard('owner');
  const load = new Load({ port: pod.port, short: 3, keepAlive: 6, pauseMs: 2 });
  await load.answered(20);
  await container('v2', 5, 1, { limits: { guardMs: 30_000 } }).heard('owner');
  old.child.kill('SIGTERM');
  expect((await old.exited).code).toBe(0);
  await load.answered(20);
  const seen = await load.stop();
  expect({ refused: seen.refused, otherErrors: seen.otherErrors }).toEqual({ refused: 0, otherErrors: [] });
});

test('SIGTERM to the only process finishes what it has begun', async () => {
  const only = container('v1', 1, 0, { answerMs: 400 });
  await only.heard('owner');
  const load = new Load({ port: pod.port, keepAlive: 3 });
  await load.answered(3);
  only.child.kill('SIGTERM');
  expect((await only.exited).code).toBe(0);
  await load.stop();
  expect((await only.heard('done')).farewell).toMatchObject({ reason: 'terminated', killed: 0 });
});
