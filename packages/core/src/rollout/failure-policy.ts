import { SIDESTEP } from '../api/keys.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import type { Reason } from '../api/reasons.js';
import type { SidecarSet, SidecarSetStatus } from '../api/sidecarset.js';
import { maxFailuresOf } from './budget.js';
import { counted } from './counted.js';

export interface FailureFacts {
  sidecarSet: SidecarSet;
  /** The status as last decided. */
  status: SidecarSetStatus | undefined;
  latestRevision: string;
  revisions: readonly ControllerRevision[];
  /** Pods are being taken back to the last good revision. */
  rolledBack: boolean;
  matched: number;
  failed: number;
}

export interface FailureDecision {
  /** Goes into the status: the revision that is given up, for as long as it stands. */
  failedRevision?: string;
  observedRetry?: string;
  /** Why no pod is begun. */
  hold?: { reason: Reason; message: string };
}

/**
 * Whether too many pods failed. Once they did, the revision stays given up, even if failed pods disappear, until the spec changes
 * or `sidestep.dev/retry` gets another value.
 */
export function decideFailures(facts: FailureFacts): FailureDecision {
  const { sidecarSet, status, latestRevision, matched, failed, rolledBack } = facts;
  const policy = sidecarSet.spec.updateStrategy?.failurePolicy;
  const retry = sidecarSet.metadata.annotations?.[SIDESTEP.retry];
  const decision: FailureDecision = {};
  if (retry !== undefined) decision.observedRetry = retry;
  if (policy === undefined) return decision;
  const stands = status?.failedRevision === latestRevision && status.observedRetry === retry;
  const allowed = maxFailuresOf(policy.maxFailures, matched);
  const isOver = failed > allowed;
  if (!stands && !isOver) return decision;
  decision.failedRevision = latestRevision;
  if (rolledBack) {
    // The good revision fails as well: there is nothing better to go to.
    if (isOver) decision.hold = tooMany(failed, allowed, 'on the revision that was gone back to');
    return decision;
  }
  if (policy.action !== 'Rollback') {
    decision.hold = tooMany(failed, allowed, `on ${latestRevision}`);
  } else if (hasGoodRevision(facts)) {
    const message = `${latestRevision} failed on ${counted(failed, 'pod')}, ${allowed} allowed; goes back to ${status?.currentRevision}`;
    decision.hold = { reason: 'RollingBack', message };
  } else {
    const message = `${latestRevision} failed on ${counted(failed, 'pod')}, ${allowed} allowed, and no revision is known to have run well`;
    decision.hold = { reason: 'NoGoodRevision', message };
  }
  return decision;
}

function hasGoodRevision({ status, latestRevision, revisions }: FailureFacts): boolean {
  const good = status?.currentRevision;
  return good !== undefined && good !== latestRevision && revisions.some(({ metadata }) => metadata.name === good);
}

const tooMany = (failed: number, allowed: number, where: string): { reason: Reason; message: string } => ({
  reason: 'TooManyFailures',
  message: `${counted(failed, 'pod')} failed ${where}, ${allowed} allowed; no more are begun`,
});
