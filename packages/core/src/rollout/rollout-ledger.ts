import { jsonText } from '../api/json-text.js';
import { KRUISE } from '../api/keys.js';
import type { Pod } from '../api/kubernetes.js';
import type { Reason } from '../api/reasons.js';
import type { SidecarSet, SidecarSetStatus, UpdateStrategy } from '../api/sidecarset.js';
import type { ProjectedPod, UpgradeTarget } from '../pod-upgrade/types.js';
import { upgradeTarget } from '../pod-upgrade/upgrade-target.js';
import { maxUnavailableOf, partitionOf } from './budget.js';
import { decideStep } from './canary-steps.js';
import { FailureNews } from './failure-news.js';
import { decideFailures } from './failure-policy.js';
import { JobOutbox, MORE_AFTER_MS } from './job-outbox.js';
import { type PickLimits, pickPods } from './picks.js';
import { PodBook } from './pod-book.js';
import type { SummaryContext } from './pod-summary.js';
import type { PrePullDecision } from './pre-pull.js';
import { findHold, type RolloutFacts } from './rollout-facts.js';
import { blockedPods, eventsOf, notUpgradableEvent, statusOf } from './rollout-status.js';
import { rolloutTarget } from './rollout-target.js';
import type { NodeImageState, RolloutDecision, RolloutSubject } from './types.js';

/**
 * What the caller of {@link RolloutLedger.decide} knows about the job queue. By default: it is there, and has what it was given.
 */
export interface DecideOptions {
  /** Return every job that is due, not only what is new: refills a queue that lost its content. */
  resync?: boolean;
  /** False while the job queue cannot be reached: nothing is begun, and the conditions say why. */
  queueAvailable?: boolean;
}

/**
 * The rollout of one SidecarSet, kept up to date event by event.
 *
 * Feed it the SidecarSet and its pods as they change, then ask `decide`. It holds no truth of its own: a new ledger fed with the
 * same objects comes to the same decision. Costs per pod event do not depend on the number of pods; an edit of the SidecarSet
 * costs one look at each.
 */
export class RolloutLedger {
  private readonly book = new PodBook();
  private readonly outbox = new JobOutbox();
  private readonly failures = new FailureNews();
  private subject: RolloutSubject | undefined;
  private context: SummaryContext | undefined;
  private contextKey = '';
  private rolledBack = false;
  /** The last status decided; newer than the stored one until its write comes back. */
  private status: SidecarSetStatus | undefined;
  private notUpgradable = 0;

  /** Takes in the SidecarSet (also after a mere status change) and its revisions. */
  setSubject(subject: RolloutSubject, now: Date): void {
    const isFirst = this.subject === undefined;
    this.subject = subject;
    if (isFirst) this.status = subject.sidecarSet.status;
    const { sidecarSet, revisions, latestRevision } = subject;
    const stored = withLatestRevision(sidecarSet, latestRevision);
    const rolledOut = rolloutTarget(stored, revisions);
    this.rolledBack = rolledOut !== stored;
    const key = contextKeyOf(rolledOut, subject);
    if (key === this.contextKey && this.context?.namespaceLabels === subject.namespaceLabels) return;
    this.contextKey = key;
    const before = this.context;
    this.context = contextOf(upgradeTarget(rolledOut, revisions), subject);
    this.outbox.clear();
    this.book.reviewAll(this.context, now, before !== undefined && prioritiesOf(before) === prioritiesOf(this.context));
  }

  /** Takes in a pod's newest version. `setSubject` comes first. */
  applyPod(pod: ProjectedPod | Pod, now: Date): void {
    if (this.context !== undefined) this.book.apply(this.context, pod, now);
  }

  /** @param key `namespace/name` */
  removePod(key: string): void {
    this.book.remove(key);
  }

  /** What became of an image on a node, for `updateStrategy.prePull`; `cause` is a sentence for people. */
  setNodeImage(node: string, image: string, state: NodeImageState, cause?: string): void {
    this.book.prePull.setState(node, image, { state, cause });
  }

  /** ControllerRevisions that pods carry. */
  revisionsInUse(): Set<string> {
    return new Set(this.book.tally.revisions.keys());
  }

  /** One pod's summary, for whoever explains it. */
  summaryOf(key: string): ReturnType<PodBook['get']> {
    return this.book.get(key);
  }

  /**
   * What is due now. Write the status first (workers read the revision's name from it), then enqueue the jobs.
   *
   * @throws {Error} before the first `setSubject`
   */
  decide(now: Date, { resync = false, queueAvailable = true }: DecideOptions = {}): RolloutDecision {
    if (this.subject === undefined || this.context === undefined) throw new Error('setSubject comes before decide');
    this.book.review(this.context, now);
    const changed = this.book.takeChanged();
    const facts = this.gatherFacts(this.subject, this.context.target, queueAvailable, now);
    if (facts.hold !== undefined) this.book.releaseGrants(now, queueAvailable);
    const recalledUntil = this.book.recalledUntil(now);
    const isRecalling = recalledUntil !== Number.POSITIVE_INFINITY;
    const mayPick = facts.hold === undefined && !isRecalling;
    const picks = mayPick ? pickPods(this.book, this.context.target, limitsOf(facts)) : [];
    for (const pick of picks) this.book.grant(pick);
    const { grants } = this.book;
    facts.granted = grants.pods.size - grants.unpaidCount + (isRecalling && facts.hold === undefined ? 1 : 0);
    const status = statusOf(facts);
    const { before, prePull } = facts;
    this.status = status;
    const decision: RolloutDecision = {
      status,
      revision: this.context.target.hash,
      jobs: this.outbox.collect(this.book, picks, this.context.target.hash, resync ? undefined : changed),
      conditionWrites: conditionWrites(this.book, resync ? undefined : changed),
      prePull: prePull?.requests ?? [],
      prePullImages: prePull?.images ?? [],
      events: [...eventsOf(before, status), ...this.notUpgradableEvents()],
      podEvents: this.failures.collect(this.book, changed, this.context.target.hash),
      blocked: blockedPods(facts, stopReason(status)),
    };
    const next = Math.min(this.book.nextReview, facts.hold?.until ?? Number.POSITIVE_INFINITY, recalledUntil);
    if (this.outbox.hasMore) decision.requeueAfterMs = MORE_AFTER_MS;
    else if (next !== Number.POSITIVE_INFINITY) decision.requeueAfterMs = Math.max(0, next - now.getTime());
    return decision;
  }

  private gatherFacts(
    subject: RolloutSubject,
    target: UpgradeTarget,
    queueAvailable: boolean,
    now: Date,
  ): RolloutFacts {
    const { sidecarSet, latestRevision, revisions } = subject;
    const { tally, candidateCount } = this.book;
    const { matched, onTarget, good, stale, inFlight } = tally;
    const strategy = sidecarSet.spec.updateStrategy;
    const common = { sidecarSet, status: this.status, latestRevision, matched, failed: tally.failed.size };
    const facts: RolloutFacts = {
      sidecarSet,
      before: this.status,
      latestRevision,
      collisionCount: subject.collisionCount ?? 0,
      rolledBack: this.rolledBack,
      queueAvailable,
      tally,
      candidates: candidateCount,
      granted: 0,
      partition: partitionOf(strategy, matched),
      maxUnavailable: maxUnavailableOf(strategy, matched),
      failures: decideFailures({ ...common, revisions, rolledBack: this.rolledBack }),
      step: this.rolledBack
        ? { limit: Number.POSITIVE_INFINITY }
        : decideStep({ ...common, onTarget, good, stale, inFlight, now }),
      prePull: this.decidePrePull(strategy, target),
      hold: undefined,
      now,
    };
    facts.hold = findHold(facts);
    return facts;
  }

  private decidePrePull(strategy: UpdateStrategy | undefined, target: UpgradeTarget): PrePullDecision | undefined {
    if (strategy?.prePull === true) return this.book.prePull.decide(target);
    this.book.prePull.forgetBut([]);
    return undefined;
  }

  private notUpgradableEvents() {
    const { notUpgradable } = this.book.tally;
    const isMore = notUpgradable > this.notUpgradable;
    this.notUpgradable = notUpgradable;
    return isMore ? [notUpgradableEvent(notUpgradable)] : [];
  }
}

/** The controller knows the revision of the spec before the stored status says it. */
function withLatestRevision(sidecarSet: SidecarSet, latestRevision: string): SidecarSet {
  const status = { matchedPods: 0, updatedPods: 0, readyPods: 0, ...sidecarSet.status, latestRevision };
  return { ...sidecarSet, status };
}

function contextOf(target: UpgradeTarget, { sidecarSet, namespaceLabels }: RolloutSubject): SummaryContext {
  const specHash = sidecarSet.metadata.annotations?.[KRUISE.hash] ?? target.hash;
  return namespaceLabels === undefined ? { target, specHash } : { target, specHash, namespaceLabels };
}

const prioritiesOf = ({ target }: SummaryContext): string =>
  jsonText(target.sidecarSet.spec.updateStrategy?.priorityStrategy);

/** Changes exactly when some pod's summary may come out differently; a mere status write keeps it. */
function contextKeyOf({ metadata, spec, status }: SidecarSet, { sidecarSet, revisions }: RolloutSubject): string {
  const names = revisions.map((revision) => revision.metadata.name);
  return jsonText([spec, metadata.annotations, sidecarSet.metadata.annotations, status?.latestRevision, names]);
}

const limitsOf = ({ partition, maxUnavailable, step }: RolloutFacts): PickLimits => ({
  partition,
  maxUnavailable,
  stepLimit: step.limit,
});

function stopReason({ conditions = [] }: SidecarSetStatus): Reason {
  const progressing = conditions.find(({ type }) => type === 'Progressing');
  return progressing === undefined || progressing.status === 'True'
    ? 'AwaitingSelection'
    : (progressing.reason as Reason);
}

function conditionWrites(book: PodBook, keys: ReadonlySet<string> | undefined): RolloutDecision['conditionWrites'] {
  const writes: RolloutDecision['conditionWrites'] = [];
  const summaries = keys === undefined ? book.summaries() : [...keys].map((key) => book.get(key));
  for (const summary of summaries) {
    if (summary?.matched !== true || summary.conditionPatch === undefined) continue;
    const { namespace, name: pod, uid, conditionPatch: statusPatch } = summary;
    writes.push({ namespace, pod, uid, statusPatch });
  }
  return writes;
}
