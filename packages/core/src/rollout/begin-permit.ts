import type { Reason } from '../api/reasons.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { readPod } from '../pod-upgrade/pod-reading.js';
import type { FullPod, UpgradeTarget } from '../pod-upgrade/types.js';
import { isPodReady } from './pod-summary.js';

/**
 * This many milliseconds after an edit no pod is begun any more that was picked under the spec before. So whoever runs begin jobs
 * sends the write at most this long after it began to read the SidecarSet, and decides anew otherwise: a process may stand still,
 * or be held back by a rate limit, between the two.
 */
export const RECALL_MS = 1_000;

/** Holds that a person or a policy set on purpose; waiting for an image or a step's pods is not one of them. */
export const HELD_ON_PURPOSE: readonly Reason[] = [
  'Paused',
  'StepPause',
  'AbortRequested',
  'TooManyFailures',
  'NoGoodRevision',
];

/**
 * Why a pod that was picked must not be begun after all: the SidecarSet was edited since, so that others may have been picked
 * instead, or its rollout is held. Judged from the stored object alone, by whoever is about to begin the pod.
 *
 * @param pickedUnder `metadata.generation` of the SidecarSet when the pod was picked; undefined where that is not known
 */
export function findRecall(
  { metadata, status }: SidecarSet,
  pickedUnder: number | undefined,
): { reason: Reason; message: string } | undefined {
  const { generation } = metadata;
  if (pickedUnder !== undefined && generation !== undefined && generation > pickedUnder) {
    return { reason: 'Superseded', message: 'the SidecarSet was edited after the pod was picked' };
  }
  const paused = status?.conditions?.find(({ type }) => type === 'Paused');
  const held = HELD_ON_PURPOSE.find((reason) => reason === paused?.reason);
  if (paused?.status !== 'True' || held === undefined) return undefined;
  return { reason: held, message: paused.message ?? 'the rollout is held' };
}

/**
 * Why a pod that was picked for nothing must not be begun after all: it was not ready then, and is now, so that it would be
 * unavailable through the rollout beside those that maxUnavailable was spent on. The planner hears of its being ready as well, and
 * asks for it anew once it can be paid for. A write is decided from the same pod and locked to it, so that it cannot become ready
 * in between.
 *
 * @param pickedUnready what the job says of the pick
 */
export function findUnpaid(
  target: UpgradeTarget,
  pod: FullPod,
  pickedUnready: boolean | undefined,
): { reason: Reason; message: string } | undefined {
  if (pickedUnready !== true || !isPodReady(readPod(target, pod))) return undefined;
  return { reason: 'BecameReady', message: 'the pod was picked while it was not ready, and has become ready since' };
}
