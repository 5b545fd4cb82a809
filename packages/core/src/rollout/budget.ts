import { resolveIntOrPercent } from '../api/int-or-percent.js';
import type { IntOrString } from '../api/kubernetes.js';
import type { UpdateStrategy } from '../api/sidecarset.js';

/**
 * How many of the pods that are still to be begun are kept on the old revision. OpenKruise 1.9's rule: a percentage is rounded
 * up, but one below 100 % never keeps all of several pods.
 */
export function partitionOf(strategy: UpdateStrategy | undefined, matched: number): number {
  const value = strategy?.partition;
  let kept = resolveIntOrPercent(value, matched, 'up') ?? 0;
  if (typeof value === 'string' && value !== '100%' && kept === matched && matched > 1) kept = matched - 1;
  return Math.min(Math.max(kept, 0), matched);
}

/** How many pods may be unavailable through the rollout at a time: 1 unless said otherwise, a percentage is rounded up. */
export function maxUnavailableOf(strategy: UpdateStrategy | undefined, matched: number): number {
  return resolveIntOrPercent(strategy?.maxUnavailable, matched, 'up') ?? 1;
}

/** How many failed pods are tolerated: none unless said otherwise, a percentage is rounded down. */
export function maxFailuresOf(value: IntOrString | undefined, matched: number): number {
  return resolveIntOrPercent(value, matched, 'down') ?? 0;
}

export interface Candidate {
  /** The pod is Running and Ready with no hot upgrade open, so beginning it costs availability. */
  readonly podReady: boolean;
}

/**
 * How many pods from the head of the order are begun now. OpenKruise's walk: a pod that is not ready costs nothing and is taken,
 * a ready one is taken while fewer than `maxUnavailable` are unavailable.
 *
 * @param limit how many candidates may be begun at all (partition, canary step)
 * @param unavailable pods that the rollout holds unavailable already
 */
export function countPicks(
  order: Iterable<Candidate>,
  limit: number,
  unavailable: number,
  maxUnavailable: number,
): number {
  let picks = 0;
  let used = unavailable;
  for (const { podReady } of order) {
    if (picks >= limit) break;
    if (podReady) {
      if (used >= maxUnavailable) break;
      used += 1;
    }
    picks += 1;
  }
  return picks;
}
