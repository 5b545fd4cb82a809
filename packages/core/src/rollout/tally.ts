import type { Reason } from '../api/reasons.js';
import type { PodSummary } from './types.js';

/** Reasons of pods that are left as they are on purpose, so that a rollout is complete without them. */
export const LEFT_ALONE: readonly Reason[] = [
  'PartitionReached',
  'NotUpdateStrategy',
  'UpdateImmutableField',
  'PodTerminating',
];

/** The counts that a rollout is decided by, kept up to date pod by pod. */
export class Tally {
  matched = 0;
  updated = 0;
  ready = 0;
  updatedReady = 0;
  onTarget = 0;
  good = 0;
  inFlight = 0;
  /** Pods that count against maxUnavailable. */
  holding = 0;
  /** Pods that are still to be brought to the target. */
  stale = 0;
  notUpgradable = 0;
  /** Keys of failed pods, so that a message can name some. */
  readonly failed = new Map<string, PodSummary>();
  /** Pods that failed on an earlier revision and are still half way. */
  readonly failedEarlier = new Map<string, PodSummary>();
  /** Pods that run the target with nothing under way, and are not ready. */
  readonly unwell = new Map<string, PodSummary>();
  /** Pods that are not done, by reason. */
  readonly reasons = new Map<Reason, number>();
  /** Pods that are not matched and yet not done with. They count in no other number but among the failed. */
  readonly apart = new Map<string, PodSummary>();
  /** Those of them that are half way although no selector chooses them any more. */
  leaving = 0;
  /** ControllerRevisions that pods carry; these must not be truncated. */
  readonly revisions = new Map<string, number>();

  add(summary: PodSummary): void {
    if (summary.apart) this.countApart(summary, 1);
    else this.count(summary, 1);
    if (summary.failed) this.failed.set(summary.key, summary);
    if (summary.failedEarlier) this.failedEarlier.set(summary.key, summary);
    if (summary.reason === 'PodsNotReady') this.unwell.set(summary.key, summary);
  }

  remove(summary: PodSummary): void {
    if (summary.apart) this.countApart(summary, -1);
    else this.count(summary, -1);
    this.failed.delete(summary.key);
    this.failedEarlier.delete(summary.key);
    this.unwell.delete(summary.key);
  }

  /** Every pod that failed and was not brought to anything better since. */
  allFailed(): PodSummary[] {
    return [...this.failed.values(), ...this.failedEarlier.values()];
  }

  get failedCount(): number {
    return this.failed.size + this.failedEarlier.size;
  }

  private countApart(summary: PodSummary, by: 1 | -1): void {
    const { key, inFlight, controllerRevision } = summary;
    if (by === 1) this.apart.set(key, summary);
    else this.apart.delete(key);
    if (!inFlight) return;
    this.leaving += by;
    if (controllerRevision !== undefined) addTo(this.revisions, controllerRevision, by);
  }

  private count(summary: PodSummary, by: 1 | -1): void {
    const { updated, ready, onTarget, good, inFlight, notUpgradable, controllerRevision, reason } = summary;
    this.matched += by;
    if (updated) this.updated += by;
    if (ready) this.ready += by;
    if (updated && ready) this.updatedReady += by;
    if (onTarget) this.onTarget += by;
    if (good) this.good += by;
    if (inFlight) this.inFlight += by;
    if (holdsSlot(summary)) this.holding += by;
    if (!onTarget && !LEFT_ALONE.includes(reason)) this.stale += by;
    if (notUpgradable) this.notUpgradable += by;
    if (!good && reason !== 'UpToDate') addTo(this.reasons, reason, by);
    if (controllerRevision !== undefined) addTo(this.revisions, controllerRevision, by);
  }
}

/**
 * OpenKruise counts pods that carry the hash and are not ready. A pod that was begun for another revision and is not done runs
 * two sidecars just the same, so it counts here, too.
 */
export const holdsSlot = ({ inFlight, onTarget, good }: PodSummary): boolean => inFlight || (onTarget && !good);

function addTo<K>(counts: Map<K, number>, key: K, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
