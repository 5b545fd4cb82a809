import { KRUISE, SIDESTEP } from '../api/keys.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { RevisionDataError, restoreRevision } from '../revision/restore-revision.js';

/**
 * The SidecarSet that pods should run: the stored one, or after `failurePolicy.action: Rollback` took its revision back the one
 * restored from the last good revision. The spec itself is never rewritten, so that whoever applied it sees no drift.
 *
 * Planner, workers and admission all ask here, so that they agree; the answer follows from the stored object alone.
 */
export function rolloutTarget(sidecarSet: SidecarSet, revisions: readonly ControllerRevision[]): SidecarSet {
  const { status, spec } = sidecarSet;
  if (spec.updateStrategy?.failurePolicy?.action !== 'Rollback' || !isTakenBack(sidecarSet, revisions))
    return sidecarSet;
  const good = revisions.find((revision) => revision.metadata.name === status?.currentRevision);
  if (good === undefined || good.metadata.name === status?.failedRevision) return sidecarSet;
  try {
    return restoreRevision(sidecarSet, good);
  } catch (error) {
    if (error instanceof RevisionDataError) return sidecarSet;
    throw error;
  }
}

/** The revision of the spec as it stands failed, and nobody asked for a retry since. */
export function isTakenBack(sidecarSet: SidecarSet, revisions: readonly ControllerRevision[]): boolean {
  const { metadata, status } = sidecarSet;
  const failed = status?.failedRevision;
  if (failed === undefined || metadata.annotations?.[SIDESTEP.retry] !== status?.observedRetry) return false;
  const revision = revisions.find(({ metadata: { name } }) => name === failed);
  const hash = revision?.metadata.annotations?.[KRUISE.hash];
  // By hash, because status.latestRevision lags behind an edit of the spec.
  return hash === undefined ? failed === status?.latestRevision : hash === metadata.annotations?.[KRUISE.hash];
}
