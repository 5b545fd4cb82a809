import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { backOffOptions, CrashBackOff, KUBERNETES_BACK_OFF } from './crash-back-off.js';

const SECOND = 1_000;

/**
 * Plays in-place changes on one container as the kubelet meets them: whether a start is held is asked with the exit that was known
 * before the change; once it is held, the process that the change ended is known, and the delay counts from there. Returns for how
 * long each start was held, in seconds.
 */
function playChanges(images: readonly string[], apartMs: number): number[] {
  const backOff = new CrashBackOff(KUBERNETES_BACK_OFF);
  let now = 0;
  let knownExit: number | undefined;
  return images.map((image, at) => {
    const changedAt = now;
    const isHeld = knownExit !== undefined && backOff.holdOrCount('side', image, knownExit, now) > 0;
    if (isHeld) {
      now += backOff.delayOf('side', image);
      expect(backOff.holdOrCount('side', image, changedAt, now)).toBe(0);
    }
    if (at > 0) knownExit = changedAt;
    const heldMs = now - changedAt;
    now += apartMs;
    return heldMs / SECOND;
  });
}

describe('the crash-loop back-off', () => {
  test('always a new image is never held', () => {
    expect(playChanges(['a', 'b', 'c', 'd', 'e'], SECOND)).toEqual([0, 0, 0, 0, 0]);
  });

  test('two images in turn, a second apart, are held from the third use on, as measured on a real kubelet', () => {
    const held = playChanges(['A', 'B', 'A', 'B', 'A', 'B', 'A', 'B'], SECOND);
    expect(held.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(held[4]).toBe(10);
    expect(held[5]).toBe(0);
    expect(held[6]).toBe(20);
  });

  test('an empty image between ever new ones is held from its third use on', () => {
    const held = playChanges(['v1', 'empty', 'v2', 'empty', 'v3', 'empty', 'v4', 'empty', 'v5'], SECOND);
    expect(held.filter((seconds) => seconds > 0)).toEqual([10, 20]);
    expect(held[5]).toBe(10);
    expect(held[7]).toBe(20);
  });

  test('with fifteen seconds between the changes the first hold comes later', () => {
    const held = playChanges(['v1', 'e', 'v2', 'e', 'v3', 'e', 'v4', 'e', 'v5', 'e'], 15 * SECOND);
    expect(held[5]).toBe(0);
    expect(held[7]).toBeGreaterThan(0);
  });

  test('the first exit of a container does not hold its restart', () => {
    expect(new CrashBackOff(KUBERNETES_BACK_OFF).holdOrCount('c', 'crash:1', 300, 300)).toBe(0);
  });

  test('a crash loop waits 10, 20, 40 ... and at most 300 seconds', () => {
    const backOff = new CrashBackOff(KUBERNETES_BACK_OFF);
    const waits: number[] = [];
    let now = 0;
    for (let exits = 0; exits < 9; exits++) {
      const holdMs = backOff.holdOrCount('c', 'crash:1', now, now);
      waits.push(holdMs / SECOND);
      const exitedAt = now;
      now += holdMs;
      if (holdMs > 0) expect(backOff.holdOrCount('c', 'crash:1', exitedAt, now)).toBe(0);
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  test('another image of the same container starts at once, and the first is still remembered when it comes back', () => {
    const backOff = new CrashBackOff(KUBERNETES_BACK_OFF);
    backOff.holdOrCount('c', 'crash:1', 0, 0);
    backOff.holdOrCount('c', 'crash:1', 0, 10 * SECOND);
    expect(backOff.holdOrCount('c', 'good:1', 11 * SECOND, 11 * SECOND)).toBe(0);
    expect(backOff.holdOrCount('c', 'crash:1', 12 * SECOND, 12 * SECOND)).toBe(20 * SECOND);
  });

  test('a container that ran for more than ten minutes starts over', () => {
    const backOff = new CrashBackOff(KUBERNETES_BACK_OFF);
    backOff.holdOrCount('c', 'crash:1', 0, 0);
    const longAfter = 600 * SECOND + 1;
    expect(backOff.holdOrCount('c', 'crash:1', longAfter, longAfter)).toBe(0);
    expect(backOff.delayOf('c', 'crash:1')).toBe(10 * SECOND);
  });

  test('the containers of a pod do not share a back-off', () => {
    const backOff = new CrashBackOff(KUBERNETES_BACK_OFF);
    backOff.holdOrCount('a', 'same:1', 0, 0);
    expect(backOff.holdOrCount('a', 'same:1', 0, 0)).toBe(10 * SECOND);
    expect(backOff.holdOrCount('b', 'same:1', 0, 0)).toBe(0);
  });

  test('a start is held until exactly its delay after the exit, for any factor and any history', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 2, noNaN: true }),
        fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 12 }),
        (factor, pauses) => {
          const options = backOffOptions(factor);
          const backOff = new CrashBackOff(options);
          let now = 0;
          for (const pause of pauses) {
            now += pause;
            const before = backOff.delayOf('c', 'i');
            const holdMs = backOff.holdOrCount('c', 'i', now, now);
            expect(holdMs).toBeLessThanOrEqual(Math.max(before, 0));
            expect(backOff.delayOf('c', 'i')).toBeLessThanOrEqual(options.maxMs + 1e-6);
            if (holdMs > 0) expect(holdMs).toBeCloseTo(before, 6);
          }
        },
      ),
    );
  });

  test('the factor scales every time alike, and "none" never holds', () => {
    expect(backOffOptions(0.1)).toEqual({ baseMs: 1_000, maxMs: 30_000, forgetMs: 60_000, retryMs: 1_000 });
    expect(backOffOptions(undefined)).toEqual(KUBERNETES_BACK_OFF);
    const none = new CrashBackOff(backOffOptions('none'));
    expect([1, 2, 3, 4].map((at) => none.holdOrCount('c', 'i', at, at))).toEqual([0, 0, 0, 0]);
  });
});
