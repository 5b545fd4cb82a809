import type { Reason } from '../api/reasons.js';
import type { SidecarSet } from '../api/sidecarset.js';

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
