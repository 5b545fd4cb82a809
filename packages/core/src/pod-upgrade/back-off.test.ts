import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { SIDESTEP } from '../api/keys.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { afterStart, currentHistory, freeReference, heldUntil } from './back-off.js';
import type { StartHistory } from './types.js';

const START = Date.parse('2026-03-01T10:00:00Z');
const at = (seconds: number) => new Date(START + seconds * 1_000);
const DIGEST = `@sha256:${'a'.repeat(64)}`;

/** Puts images on one container at the given seconds; says which of them the kubelet would have held. */
function play(images: string[], seconds: (i: number) => number): boolean[] {
  let history: StartHistory = { images: {} };
  return images.map((image, i) => {
    const now = at(seconds(i));
    history = currentHistory(history, undefined, undefined, now);
    const held = heldUntil(history, image, now) !== undefined;
    history = afterStart(history, image, now);
    return held;
  });
}

describe('the sequences that were measured on kubelet 1.34', () => {
  const alternating = ['empty', 'v2', 'empty', 'v3', 'empty', 'v4', 'empty', 'v5'];
  test.each([
    ['always a new image, 1 s apart: never held', ['v1', 'v2', 'v3', 'v4', 'v5'], 1, []],
    ['A and B in turn, 1 s apart: held from the fourth change', ['B', 'A', 'B', 'A', 'B', 'A'], 1, [3, 4, 5]],
    ['empty between new images, 1 s apart: held at the third empty', alternating, 1, [4, 6]],
    ['the same 15 s apart: held at the fourth empty', alternating, 15, [6]],
    ['the same 11 minutes apart: never held', alternating, 660, []],
  ])('%s', (_, images, spacing, held) => {
    const result = play(images, (i) => i * spacing);
    expect(result.map((is, i) => (is ? i : -1)).filter((i) => i >= 0)).toEqual(
      expect.arrayContaining(held as number[]),
    );
    if (held.length === 0) expect(result).not.toContain(true);
  });

  test('one image under a new name each time is never held', () => {
    const names = [1, 2, 3, 4, 5].flatMap((g) => [`empty:g${g}${DIGEST}`, `v${g}`]);
    expect(play(names, (i) => i)).not.toContain(true);
  });
});

describe('a crash loop', () => {
  const crashed = {
    name: 'mesh-2',
    restartCount: 6,
    lastState: { terminated: { exitCode: 1, finishedAt: at(95).toISOString() } },
  };
  const before = { image: 'crash:1', id: 'x', restarts: 1 };

  test('counts for the image that crashed: trying it again waits its back-off out', () => {
    const history = currentHistory(undefined, crashed, before, at(100));
    expect(heldUntil(history, 'crash:1', at(100))).toBeGreaterThan(at(95 + 80).getTime());
  });

  test('does not count for another image', () => {
    const history = currentHistory(undefined, crashed, before, at(100));
    expect(heldUntil(history, 'good:1', at(100))).toBeUndefined();
  });
});

describe('a free reference', () => {
  const busy = (images: string[]): StartHistory => ({
    ended: START / 1_000,
    images: Object.fromEntries(images.map((image) => [image, [40, START / 1_000] as [number, number]])),
  });

  test('is the plain one while that is not held', () => {
    expect(freeReference({ images: {} }, `empty${DIGEST}`, at(1))).toBe(`empty${DIGEST}`);
  });
  test('is one by digest with a tag of its own while the plain one is held', () => {
    expect(freeReference(busy([`empty${DIGEST}`]), `empty${DIGEST}`, at(1))).toBe(`empty:g1${DIGEST}`);
    expect(freeReference(busy([`empty${DIGEST}`, `empty:g1${DIGEST}`]), `empty${DIGEST}`, at(1))).toBe(
      `empty:g2${DIGEST}`,
    );
  });
  test('keeps a tag that the reference has', () => {
    const image = `r.io:5000/empty:2${DIGEST}`;
    expect(freeReference(busy([image]), image, at(1))).toBe(`r.io:5000/empty:2-g1${DIGEST}`);
  });
  test('does not exist for a reference by tag', () => {
    expect(freeReference(busy(['empty:1']), 'empty:1', at(1))).toBeUndefined();
  });
});

/** Upgrades one pod again and again at these intervals, waiting as told; returns whether its Ready was ever lost to a back-off. */
function upgradeAgainAndAgain(set: SidecarSet, gaps: readonly number[], images: readonly string[]) {
  const pod = new SimulatedPod(set).wait(3600);
  let waits = 0;
  gaps.forEach((gap, i) => {
    pod.wait(gap).image({ mesh: images[i % images.length] ?? '' });
    for (let step = 0; step < 50 && pod.look().reason !== 'UpToDate'; step += 1) {
      const decision = pod.look();
      if (decision.patch !== undefined) pod.write(decision);
      if (decision.reason === 'BackOffExpected') {
        waits += 1;
        expect(decision.retryAfterMs).toBeGreaterThan(0);
        pod.now += decision.retryAfterMs ?? 0;
      }
      pod.wait(1).kubelet();
      expect(pod.pod.status?.containerStatuses?.map((status) => status.state?.waiting)).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    }
    expect(pod.look().reason).toBe('UpToDate');
  });
  return { pod, waits };
}

describe('a pod that is upgraded again and again', () => {
  test('rolling back and forth every 8 s: OpenKruise loses Ready at the fourth upgrade, Sidestep waits and never does', () => {
    const { waits } = upgradeAgainAndAgain(hotSet(), Array(8).fill(8), ['mesh:v2', 'mesh:v1']);
    expect(waits).toBeGreaterThan(0);
  });

  test('images by digest need no wait at all', () => {
    const set = hotSet(`mesh${DIGEST}`);
    const container = set.spec.containers?.[0];
    Object.assign(container?.upgradeStrategy ?? {}, { hotUpgradeEmptyImage: `mesh-empty@sha256:${'e'.repeat(64)}` });
    const images = [`mesh@sha256:${'b'.repeat(64)}`, `mesh${DIGEST}`];
    const { waits, pod } = upgradeAgainAndAgain(set, Array(8).fill(8), images);
    expect(waits).toBe(0);
    expect(Object.values(pod.images()).join()).toMatch(/:g\d+@sha256/);
  });

  test('a retry of an image that just crashed says how long it will wait, and waits that long', () => {
    const pod = new SimulatedPod(hotSet('mesh:v1', { failurePolicy: {} })).wait(3600).image({ mesh: 'mesh:crash' });
    pod.run('upgrade');
    pod.wait(2).kubelet().wait(10).kubelet().wait(20).kubelet();
    pod.run('abort');
    pod.wait(2).kubelet();
    pod.set.metadata.annotations = { ...pod.set.metadata.annotations, [SIDESTEP.retry]: 'again' };
    const decision = pod.look();
    expect(decision).toMatchObject({ due: 'none', reason: 'BackOffExpected', container: 'mesh-2' });
    expect(decision.message).toContain(new Date(pod.now + (decision.retryAfterMs ?? 0)).toISOString());
    pod.now += decision.retryAfterMs ?? 0;
    expect(pod.look()).toMatchObject({ due: 'upgrade', attempt: 2 });
  });

  test('whatever the rhythm: no serving pod is ever put into CrashLoopBackOff', () => {
    const gaps = fc.array(fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 700 })), {
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(gaps, fc.constantFrom(['mesh:v2', 'mesh:v1'], ['mesh:v2', 'mesh:v3', 'mesh:v1']), (each, images) => {
        upgradeAgainAndAgain(hotSet(), each, images);
      }),
      // The example ends a container just before its image's entry dies, and wants the image again just after.
      {
        numRuns: 30,
        examples: [
          [
            [0, 0, 590, 7],
            ['mesh:v2', 'mesh:v1'],
          ],
        ],
      },
    );
  });

  test('the record stays small, because what the kubelet has forgotten is dropped', () => {
    const images = Array.from({ length: 40 }, (_, i) => `mesh:v${i}`);
    const { pod } = upgradeAgainAndAgain(hotSet(), Array(40).fill(700), images);
    expect(pod.annotation(SIDESTEP.upgrade)?.length).toBeLessThan(1_200);
  });
});
