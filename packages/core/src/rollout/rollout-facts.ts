import { SIDESTEP } from '../api/keys.js';
import type { Reason } from '../api/reasons.js';
import type { SidecarSet, SidecarSetStatus } from '../api/sidecarset.js';
import type { StepDecision } from './canary-steps.js';
import { counted, countedWith } from './counted.js';
import type { FailureDecision } from './failure-policy.js';
import type { PrePullDecision } from './pre-pull.js';
import type { Tally } from './tally.js';

export interface Hold {
  reason: Reason;
  message: string;
  /** Unix ms at which it ends by itself. */
  until?: number;
}

/** Everything that status, conditions and events are derived from. */
export interface RolloutFacts {
  sidecarSet: SidecarSet;
  /** The status as last decided or stored. */
  before: SidecarSetStatus | undefined;
  latestRevision: string;
  collisionCount: number;
  rolledBack: boolean;
  /** False while nobody could be asked to do anything. */
  queueAvailable: boolean;
  tally: Tally;
  candidates: number;
  /** Pods picked and not yet seen begun, or about to be picked. */
  granted: number;
  partition: number;
  maxUnavailable: number;
  failures: FailureDecision;
  step: StepDecision;
  prePull: PrePullDecision | undefined;
  /** Why nothing may be begun at all. */
  hold: Hold | undefined;
  now: Date;
}

/** The first thing that keeps every pod from being begun, in the order in which a reader wants to know. */
export function findHold(facts: Omit<RolloutFacts, 'hold'>): Hold | undefined {
  for (const check of HOLDS) {
    const hold = check(facts);
    if (hold !== undefined) return hold;
  }
  return undefined;
}

type Check = (facts: Omit<RolloutFacts, 'hold'>) => Hold | undefined;

const isNotUpdate: Check = ({ sidecarSet }) =>
  sidecarSet.spec.updateStrategy?.type === 'NotUpdate'
    ? { reason: 'NotUpdateStrategy', message: 'updateStrategy.type is NotUpdate: running pods stay as they are' }
    : undefined;

const isQueueAway: Check = ({ queueAvailable, tally }) =>
  queueAvailable
    ? undefined
    : {
        reason: 'QueueUnavailable',
        message: `the job queue cannot be reached; ${countedWith(tally.stale + tally.inFlight + tally.leaving, 'pod', ['waits', 'wait'])} for it`,
      };

const isPaused: Check = ({ sidecarSet, tally }) =>
  sidecarSet.spec.updateStrategy?.paused === true
    ? { reason: 'Paused', message: `updateStrategy.paused is set with ${counted(tally.stale, 'pod')} to go` }
    : undefined;

const isAborted: Check = ({ tally, latestRevision }) => {
  if (!tally.reasons.has('AbortRequested')) return undefined;
  const message = `the rollout of ${latestRevision} was asked to stop with ${counted(tally.stale, 'pod')} to go, until a retry`;
  return { reason: 'AbortRequested', message };
};

const hasFailed: Check = ({ failures, rolledBack }) =>
  rolledBack && failures.hold?.reason === 'RollingBack' ? undefined : failures.hold;

const isPrePulling: Check = ({ prePull }) =>
  prePull !== undefined && prePull.unsettled > 0
    ? {
        reason: 'PrePulling',
        message: `${countedWith(prePull.unsettled, 'node', ['does', 'do'])} not have the new image yet${prePull.cause === undefined ? '' : `: ${prePull.cause}`}`,
      }
    : undefined;

const isStepPaused: Check = ({ step, tally, sidecarSet }) => {
  if (step.pause === undefined) return undefined;
  const steps = sidecarSet.spec.updateStrategy?.steps?.length ?? 0;
  const where = `step ${(step.currentStep ?? 0) + 1} of ${steps} is good with ${tally.good} of ${counted(tally.matched, 'pod')}`;
  if (step.pause.until === undefined) {
    return { reason: 'StepPause', message: `${where}; waits to be promoted${foreignPromotion(sidecarSet, step)}` };
  }
  const until = new Date(step.pause.until).toISOString();
  return { reason: 'StepPause', message: `${where}; goes on at ${until}`, until: step.pause.until };
};

/** A promotion that has no effect looks like one that was not seen. */
function foreignPromotion({ metadata }: SidecarSet, { stepsSince }: StepDecision): string {
  const value = metadata.annotations?.[SIDESTEP.promote];
  if (!value || stepsSince === undefined || value.includes(`@${stepsSince}:`)) return '';
  return `; ${SIDESTEP.promote} "${value.slice(0, 100)}" does not name these steps, begun ${stepsSince}`;
}

const HOLDS: readonly Check[] = [isNotUpdate, isPaused, isQueueAway, isAborted, hasFailed, isPrePulling, isStepPaused];
