import { REASONS, type Reason } from '../api/reasons.js';
import type { Condition, SidecarSetStatus } from '../api/sidecarset.js';
import { conditionsOf } from './conditions.js';
import type { RolloutFacts } from './rollout-facts.js';
import type { BlockedPods, RolloutEvent } from './types.js';

/** The whole status: OpenKruise's counters by its formulas, and Sidestep's own fields beside them. */
export function statusOf(facts: RolloutFacts): SidecarSetStatus {
  const { tally, sidecarSet, latestRevision, collisionCount, failures, before } = facts;
  const status: SidecarSetStatus = {
    observedGeneration: sidecarSet.metadata.generation ?? 0,
    matchedPods: tally.matched,
    updatedPods: tally.updated,
    readyPods: tally.ready,
    updatedReadyPods: tally.updatedReady,
    latestRevision,
    collisionCount,
    upgradingPods: tally.inFlight + tally.leaving,
    failedPods: tally.failedCount,
  };
  const currentRevision = isWellEverywhere(facts) ? latestRevision : before?.currentRevision;
  if (currentRevision !== undefined) status.currentRevision = currentRevision;
  if (failures.failedRevision !== undefined) status.failedRevision = failures.failedRevision;
  if (failures.observedRetry !== undefined) status.observedRetry = failures.observedRetry;
  Object.assign(status, stepStatus(facts));
  status.conditions = conditionsOf(facts);
  return status;
}

/**
 * Every pod runs the spec's revision well, and there is one: that makes it the revision to go back to. Pods that are left alone
 * on an older one, by a selector as by a partition, say that the spec's is still on trial.
 */
function isWellEverywhere({ tally, rolledBack, failures }: RolloutFacts): boolean {
  if (rolledBack || failures.failedRevision !== undefined) return false;
  return tally.good > 0 && tally.good === tally.matched && tally.inFlight === 0;
}

/** A revision that is given up for the last good one begins its steps anew, should it be tried again. */
function stepStatus({ step, rolledBack, failures }: RolloutFacts): Partial<SidecarSetStatus> {
  if (rolledBack || failures.hold?.reason === 'RollingBack') return {};
  const { currentStep, observedSteps, stepsSince, stepGoodSince } = step;
  const fields = Object.entries({ currentStep, observedSteps, stepsSince, stepGoodSince });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/**
 * One Event for each reason that no condition had before and that is worth an Event; none while numbers alone move, nor for what
 * `notUpgradableEvent` tells.
 */
export function eventsOf(before: SidecarSetStatus | undefined, after: SidecarSetStatus): RolloutEvent[] {
  const events = new Map<Reason, RolloutEvent>();
  const told = new Set<string>((before?.conditions ?? []).map(({ reason }) => reason));
  for (const condition of after.conditions ?? []) {
    const old = before?.conditions?.find(({ type }) => type === condition.type);
    if (told.has(condition.reason) || condition.reason === 'NotUpgradablePods' || !isEvent(condition.reason)) continue;
    // The first look at a SidecarSet that is complete is no news.
    if (old === undefined && condition.reason === 'RolloutComplete') continue;
    const reason = condition.reason;
    if (!events.has(reason)) events.set(reason, { type: typeOf(condition), reason, message: condition.message });
  }
  return [...events.values()];
}

const isEvent = (reason: string): reason is Reason =>
  Object.hasOwn(REASONS, reason) && (REASONS[reason as Reason].shows as readonly string[]).includes('event');

const typeOf = ({ type, status, reason }: Condition): 'Normal' | 'Warning' =>
  (type === 'Degraded' && status === 'True') || reason === 'MaxUnavailableZero' ? 'Warning' : 'Normal';

/** OpenKruise's Event about pods that cannot be upgraded in place, whenever their number rises. */
export function notUpgradableEvent(count: number): RolloutEvent {
  const message = `SidecarSet in-place update detected ${count} not upgradable pod(s) in this round, will skip them.`;
  return { type: 'Normal', reason: 'NotUpgradablePods', message };
}

/** Pods that are not done, by what holds them: candidates by what holds the rollout, the others by their own reason. */
export function blockedPods(facts: RolloutFacts, stop: Reason): BlockedPods[] {
  const { reasons, apart } = facts.tally;
  const counts = new Map<Reason, number>();
  const count = (reason: Reason, by: number) => counts.set(reason, (counts.get(reason) ?? 0) + by);
  for (const [reason, by] of reasons)
    count(reason === 'AwaitingSelection' ? holdOfCandidates(facts, stop) : reason, by);
  for (const { reason } of apart.values()) count(reason, 1);
  return [...counts]
    .map(([reason, count]): BlockedPods => ({ reason, message: REASONS[reason].means, count }))
    .sort((a, b) => b.count - a.count);
}

/** Where what stops the rollout is a matter of other pods, candidates are held by what these take, or by the partition. */
function holdOfCandidates({ tally, candidates, partition, maxUnavailable }: RolloutFacts, stop: Reason): Reason {
  if (!tally.reasons.has(stop)) return stop;
  if (candidates <= partition) return 'PartitionReached';
  return tally.holding >= maxUnavailable ? 'MaxUnavailableReached' : stop;
}
