import type { BlockedPods, RolloutDecision } from '@sidestep/core';
import type { Logger, Metrics } from '@sidestep/observability';

const STATES = {
  matched: 'matchedPods',
  updated: 'updatedPods',
  ready: 'readyPods',
  updatedReady: 'updatedReadyPods',
  upgrading: 'upgradingPods',
  failed: 'failedPods',
} as const;

/** Turns the planner's decisions into metrics, and into one log line per change of mind. */
export class PlannerMetrics {
  private readonly lastReason = new Map<string, string>();
  private readonly blockedReasons = new Map<string, Set<string>>();

  constructor(
    private readonly metrics: Metrics,
    private readonly log: Logger,
  ) {}

  decided(sidecarset: string, { status, revision, jobs, blocked }: RolloutDecision): void {
    for (const [state, field] of Object.entries(STATES)) {
      this.metrics.pods.set({ sidecarset, state }, status[field] ?? 0);
    }
    this.blocked(sidecarset, blocked);
    for (const job of jobs) this.log.debug({ ...job, sidecarSet: sidecarset }, 'job asked for');
    const progressing = status.conditions?.find(({ type }) => type === 'Progressing');
    const reason = progressing?.reason ?? '';
    if (reason === '' || this.lastReason.get(sidecarset) === reason) return;
    this.lastReason.set(sidecarset, reason);
    this.metrics.decisions.inc({ subject: 'sidecarset', reason });
    this.log.info({ sidecarSet: sidecarset, revision, reason, detail: progressing?.message, blocked }, 'rollout');
  }

  forget(sidecarset: string): void {
    this.lastReason.delete(sidecarset);
    for (const state of Object.keys(STATES)) this.metrics.pods.remove({ sidecarset, state });
    this.blocked(sidecarset, []);
    this.blockedReasons.delete(sidecarset);
  }

  /** A reason that holds nobody any more must not go on being shown. */
  private blocked(sidecarset: string, blocked: readonly BlockedPods[]): void {
    const reasons = new Set<string>(blocked.map(({ reason }) => reason));
    for (const reason of this.blockedReasons.get(sidecarset) ?? []) {
      if (!reasons.has(reason)) this.metrics.blockedPods.remove({ sidecarset, reason });
    }
    for (const { reason, count } of blocked) this.metrics.blockedPods.set({ sidecarset, reason }, count);
    this.blockedReasons.set(sidecarset, reasons);
  }
}
