import { resolveIntOrPercent } from '../api/int-or-percent.js';
import { SIDESTEP } from '../api/keys.js';
import type { SidecarSet, SidecarSetStatus } from '../api/sidecarset.js';

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

export interface StepDecision {
  /** How many pods may be on the target; Infinity without steps, or when all are done. */
  limit: number;
  currentStep?: number;
  stepGoodSince?: string;
  /** The step's pods are good and its pause is not over: until when, or until promoted. */
  pause?: { until: number | undefined };
}

/**
 * Which canary step the rollout is at. A step is done when as many pods as it says (a percentage is rounded up) are good; then its
 * pause runs, by time or until promoted. Another revision starts again at the first step.
 */
export function decideStep(facts: StepFacts): StepDecision {
  const { sidecarSet, status, latestRevision } = facts;
  const steps = sidecarSet.spec.updateStrategy?.steps ?? [];
  if (steps.length === 0) return { limit: Number.POSITIVE_INFINITY };
  const isDone = facts.stale === 0 && facts.inFlight === 0 && facts.failed === 0;
  if (isDone) return { limit: Number.POSITIVE_INFINITY, currentStep: steps.length };
  const stored = status?.latestRevision === latestRevision ? status : undefined;
  const start = Math.min(stored?.currentStep ?? 0, steps.length);
  const promoted = promotedSteps(sidecarSet, latestRevision);
  for (let i = start; i < steps.length; i += 1) {
    const step = steps[i];
    if (step === undefined) break;
    const limit = resolveIntOrPercent(step.pods, facts.matched, 'up') ?? 0;
    if (facts.good < Math.min(limit, facts.onTarget + facts.stale)) return { limit, currentStep: i };
    if (step.pause === undefined || promoted >= i) continue;
    const goodSince = (i === start ? stored?.stepGoodSince : undefined) ?? facts.now.toISOString();
    const until = pauseEnd(goodSince, step.pause.seconds);
    if (until !== undefined && until <= facts.now.getTime()) continue;
    return { limit, currentStep: i, stepGoodSince: goodSince, pause: { until } };
  }
  return { limit: Number.POSITIVE_INFINITY, currentStep: steps.length };
}

function pauseEnd(since: string, seconds: number | undefined): number | undefined {
  if (typeof seconds !== 'number') return undefined;
  const start = Date.parse(since);
  return Number.isNaN(start) ? 0 : start + seconds * 1_000;
}

/** The highest step whose pause is ended by `sidestep.dev/promote` for this revision; -1 for none. */
function promotedSteps(sidecarSet: SidecarSet, latestRevision: string): number {
  const value = sidecarSet.metadata.annotations?.[SIDESTEP.promote] ?? '';
  const prefix = `${latestRevision}:`;
  if (!value.startsWith(prefix)) return -1;
  const step = value.slice(prefix.length);
  if (step === 'all') return Number.POSITIVE_INFINITY;
  return /^[0-9]{1,4}$/.test(step) ? Number(step) : -1;
}
