import { SIDESTEP, type SidecarSet, UNMANAGEABLE } from '@sidestep/core';

/**
 * What a rollout is doing, in one word. `Waiting`: the planner has not looked at this version of the SidecarSet yet. `Complete`:
 * every pod that may be updated is. `Paused`: somebody or a step holds it, and it can go on. `Failed`: it does not go on without a
 * hand.
 */
export type RolloutState = 'Waiting' | 'Progressing' | 'Paused' | 'Complete' | 'Failed';

/** The state, with the reason and the sentence that the planner wrote. Every command tells the same one. */
export interface Verdict {
  state: RolloutState;
  reason: string;
  message: string;
}

const COMPLETE = ['RolloutComplete', 'NoMatchingPods', 'PartitionReached', 'NotUpdateStrategy'];
const STUCK: readonly string[] = [
  'MaxUnavailableZero',
  'NotUpgradablePods',
  'AbortRequested',
  'NoGoodRevision',
  'RolledBack',
  ...UNMANAGEABLE,
];

/** What the status does not tell of yet, as a sentence; undefined when it tells of this very version of the SidecarSet. */
export function findUnseen({ metadata, status }: SidecarSet): string | undefined {
  const seen = status?.observedGeneration ?? 0;
  if (status?.conditions?.some(({ type }) => type === 'Progressing') !== true) return 'no planner has looked at it';
  if (metadata.generation === undefined || seen >= metadata.generation) return undefined;
  return `the planner saw generation ${seen}, this is ${metadata.generation}`;
}

/** Reads the verdict off the stored conditions; see docs/reference/reasons.md for the words. */
export function verdictOf(set: SidecarSet): Verdict {
  const { metadata, status } = set;
  const conditionOf = (type: string) => status?.conditions?.find((condition) => condition.type === type);
  const [progressing, degraded, paused] = ['Progressing', 'Degraded', 'Paused'].map(conditionOf);
  const unseen = findUnseen(set);
  if (progressing === undefined)
    return { state: 'Waiting', reason: '', message: `${unseen}; is sidestep-worker running?` };
  if (unseen !== undefined) return { state: 'Waiting', reason: '', message: unseen };
  const retry = metadata.annotations?.[SIDESTEP.retry];
  if (retry !== undefined && retry !== status?.observedRetry) {
    return { state: 'Waiting', reason: '', message: 'the planner has not seen the retry yet' };
  }
  const told = ({ reason, message }: { reason: string; message: string }) => ({ reason, message });
  const moves = progressing.status === 'True';
  const givenUp = degraded?.status === 'True' && !(moves && degraded.reason === 'PodsFailed');
  if (givenUp) return { state: 'Failed', ...told(degraded) };
  if (moves) return { state: 'Progressing', ...told(progressing) };
  if (STUCK.includes(progressing.reason)) return { state: 'Failed', ...told(progressing) };
  if (COMPLETE.includes(progressing.reason)) return { state: 'Complete', ...told(progressing) };
  if (paused?.status === 'True') return { state: 'Paused', ...told(paused) };
  return { state: 'Progressing', ...told(progressing) };
}
