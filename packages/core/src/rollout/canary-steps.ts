import { resolveIntOrPercent } from '../api/int-or-percent.js';
import { SIDESTEP } from '../api/keys.js';
import type { IntOrString } from '../api/kubernetes.js';
import { promotedStep } from '../api/promotion.js';
import type { CanaryStep, SidecarSet, SidecarSetStatus } from '../api/sidecarset.js';
import { toTimestamp } from '../pod-upgrade/annotations.js';

export interface StepFacts {
  sidecarSet: SidecarSet;
  /** The status as last decided. */
  status: SidecarSetStatus | undefined;
  latestRevision: string;
  matched: number;
  onTarget: number;
  good: number;
  /** Pods that are still to be brought to the target. */
  stale: number;
  inFlight: number;
  failed: number;
  now: Date;
}

/** What the status keeps of the steps; absent without steps, and while pods go back. */
type StepStatus = Pick<SidecarSetStatus, 'currentStep' | 'observedSteps' | 'stepsSince' | 'stepGoodSince'>;

export interface StepDecision extends StepStatus {
  /** How many pods may be on the target; Infinity without steps, or when all are done. */
  limit: number;
  /** The step's pods are good and its pause is not over: until when, or until promoted. */
  pause?: { until: number | undefined };
}

/**
 * Which canary step the rollout is at. A step is done when as many pods as it says (a percentage is rounded up) are good; then its
 * pause runs, by time or until promoted. Another revision starts again at the first step, and so does one that was taken back.
 */
export function decideStep(facts: StepFacts): StepDecision {
  const steps = facts.sidecarSet.spec.updateStrategy?.steps ?? [];
  if (steps.length === 0) return { limit: Number.POSITIVE_INFINITY };
  const entry = enter(steps, facts);
  const kept: StepStatus = { observedSteps: steps.map(({ pods }) => pods), stepsSince: entry.since };
  const isQuiet = facts.stale === 0 && facts.inFlight === 0 && facts.failed === 0;
  const isDone = isQuiet && facts.matched > 0 && facts.onTarget === facts.matched;
  if (isDone) return { ...kept, limit: Number.POSITIVE_INFINITY, currentStep: steps.length };
  const at = walk(steps, entry, facts, isQuiet);
  if (!isQuiet) return { ...kept, ...at };
  // Pods that are left alone (updateStrategy.selector, NotUpdate) may be chosen later: the steps stay where they are, yet hold nothing.
  const { pause: _, ...reached } = at;
  return { ...kept, ...reached, limit: Number.POSITIVE_INFINITY };
}

/** From the step it is entered at to the first that is not over. */
function walk(steps: readonly CanaryStep[], entry: Entry, facts: StepFacts, isQuiet: boolean): StepDecision {
  for (const [i, step] of steps.entries()) {
    if (i < entry.start) continue;
    const limit = resolveIntOrPercent(step.pods, facts.matched, 'up') ?? 0;
    // Fewer pods than the step says are enough only where no more are to come.
    const wanted = isQuiet ? Math.max(limit, 1) : Math.min(limit, facts.onTarget + facts.stale);
    if (facts.good < wanted) return { limit, currentStep: i };
    if (step.pause === undefined || entry.promoted >= i) continue;
    const goodSince = (i === entry.start ? entry.goodSince : undefined) ?? facts.now.toISOString();
    const until = pauseEnd(goodSince, step.pause.seconds);
    if (until !== undefined && until <= facts.now.getTime()) continue;
    return { limit, currentStep: i, stepGoodSince: goodSince, pause: { until } };
  }
  return { limit: Number.POSITIVE_INFINITY, currentStep: steps.length };
}

interface Entry {
  /** The steps before it are over. */
  start: number;
  /** Since when these very steps are gone through, for this revision: what a promotion names. */
  since: string;
  goodSince: string | undefined;
  /** The highest step whose pause was ended by hand; -1 for none. */
  promoted: number;
}

function enter(steps: readonly CanaryStep[], facts: StepFacts): Entry {
  const { sidecarSet, status, latestRevision, matched } = facts;
  const stored = status?.latestRevision === latestRevision ? status : undefined;
  const current = stored?.currentStep ?? 0;
  const before = stored?.observedSteps;
  if (before !== undefined && !isSame(before, steps)) {
    return { start: entryOf(steps, before.slice(0, current), matched), ...afresh(facts) };
  }
  const start = Math.min(current, steps.length);
  if (stored?.stepsSince === undefined) return { start, ...afresh(facts), goodSince: stored?.stepGoodSince };
  const { stepsSince: since, stepGoodSince: goodSince } = stored;
  const token = sidecarSet.metadata.annotations?.[SIDESTEP.promote];
  return { start, since, goodSince, promoted: promotedStep(token, { latestRevision, stepsSince: since }) };
}

const isSame = (before: readonly IntOrString[], steps: readonly CanaryStep[]): boolean =>
  before.length === steps.length && before.every((pods, i) => pods === steps[i]?.pods);

/**
 * Where a changed list is entered: at the first step that lets more pods than the steps that were over. Where none does, at the
 * last one, since an edit alone must not let all pods follow that a step kept back.
 */
function entryOf(steps: readonly CanaryStep[], over: readonly IntOrString[], matched: number): number {
  const resolve = (pods: IntOrString): number => resolveIntOrPercent(pods, matched, 'up') ?? 0;
  const most = Math.max(0, ...over.map(resolve));
  const next = steps.findIndex(({ pods }) => resolve(pods) > most);
  return next < 0 ? steps.length - 1 : next;
}

/** Nobody can have promoted what begins now. */
function afresh({ status, now }: StepFacts): Omit<Entry, 'start'> {
  const last = Date.parse(status?.stepsSince ?? '');
  const since = Number.isNaN(last) ? now.getTime() : Math.max(now.getTime(), last + 1_000);
  return { since: toTimestamp(new Date(since)), goodSince: undefined, promoted: -1 };
}

function pauseEnd(since: string, seconds: number | undefined): number | undefined {
  if (typeof seconds !== 'number') return undefined;
  const start = Date.parse(since);
  return Number.isNaN(start) ? 0 : start + seconds * 1_000;
}
