import { KRUISE, SIDESTEP } from '../api/keys.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { RevisionDataError, restoreRevision } from '../revision/restore-revision.js';

/** Finds a ControllerRevision of the SidecarSet by name. */
export type RevisionByName = (name: string) => ControllerRevision | undefined;

/**
 * The SidecarSet that pods should run: the stored one, or after `failurePolicy.action: Rollback` took its revision back the one
 * restored from the last good revision. The spec itself is never rewritten, so that whoever applied it sees no drift.
 *
 * Planner, workers and admission go by the same rule, so that they agree; the answer follows from the stored object alone.
 */
export function rolloutTarget(sidecarSet: SidecarSet, revisions: readonly ControllerRevision[]): SidecarSet {
  const good = revisionGoneBackTo(sidecarSet, (name) => revisions.find((each) => each.metadata.name === name));
  if (good === undefined) return sidecarSet;
  try {
    return restoreRevision(sidecarSet, good);
  } catch (error) {
    if (error instanceof RevisionDataError) return sidecarSet;
    throw error;
  }
}

/** The last good revision, if the failure policy took the revision of the spec back to it; undefined as a rule. */
export function revisionGoneBackTo(sidecarSet: SidecarSet, byName: RevisionByName): ControllerRevision | undefined {
  const { currentRevision, failedRevision } = sidecarSet.status ?? {};
  if (sidecarSet.spec.updateStrategy?.failurePolicy?.action !== 'Rollback') return undefined;
  if (currentRevision === undefined || failedRevision === undefined || currentRevision === failedRevision)
    return undefined;
  return isTakenBack(sidecarSet, failedRevision, byName) ? byName(currentRevision) : undefined;
}

/** The revision of the spec as it stands is the one that failed, and nobody asked for a retry since. */
function isTakenBack({ metadata, status }: SidecarSet, failedRevision: string, byName: RevisionByName): boolean {
  if (metadata.annotations?.[SIDESTEP.retry] !== status?.observedRetry) return false;
  const hash = byName(failedRevision)?.metadata.annotations?.[KRUISE.hash];
  // By hash, because status.latestRevision lags behind an edit of the spec.
  return hash === undefined ? failedRevision === status?.latestRevision : hash === metadata.annotations?.[KRUISE.hash];
}
