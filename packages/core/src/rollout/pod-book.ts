import type { Pod } from '../api/kubernetes.js';
import type { ProjectedPod } from '../pod-upgrade/types.js';
import { RECALL_MS } from './begin-permit.js';
import { CandidateQueue } from './candidate-queue.js';
import { Grants, termsFor } from './grants.js';
import { podKey, type SummaryContext, summarizePod } from './pod-summary.js';
import { PrePull } from './pre-pull.js';
import { ReviewHeap } from './review-heap.js';
import { Tally } from './tally.js';
import type { PodSummary } from './types.js';

interface Entry {
  pod: ProjectedPod | Pod;
  summary: PodSummary;
}

/**
 * The pods of one SidecarSet with everything that is counted and sorted about them. One pod's change costs one summary and a few
 * counters, however many pods there are.
 */
export class PodBook {
  private readonly entries = new Map<string, Entry>();
  readonly candidates = new CandidateQueue();
  readonly prePull = new PrePull();
  private readonly reviews = new ReviewHeap();
  private byKey: readonly PodSummary[] | undefined;
  tally = new Tally();
  /** These pods are out of the queue of candidates, so that a walk along it never passes them. */
  readonly grants = new Grants();
  /**
   * Pods whose begin was asked for and then recalled, and when (Unix ms) no worker can begin them any more. Some may have been
   * begun all the same, so that they come first when pods are picked again, until they are seen begun.
   */
  private readonly recalled = new Map<string, number>();
  /** Keys of pods whose summary changed since the last `takeChanged`. */
  private changed = new Set<string>();

  get(key: string): PodSummary | undefined {
    return this.entries.get(key)?.summary;
  }

  *summaries(): Iterable<PodSummary> {
    for (const { summary } of this.entries.values()) yield summary;
  }

  /** The matched pods by key: the same array as long as none comes, goes, or changes its labels. */
  matchedByKey(): readonly PodSummary[] {
    this.byKey ??= [...this.summaries()].filter((pod) => pod.matched).sort((a, b) => (a.key < b.key ? -1 : 1));
    return this.byKey;
  }

  /** Pods that may be begun, picked ones included. */
  get candidateCount(): number {
    return this.candidates.size + this.grants.pods.size;
  }

  /** Of a pod that was picked for nothing: it is paid for from now on. */
  grant(summary: PodSummary): void {
    this.recalled.delete(summary.key);
    this.candidates.remove(summary.key);
    this.grants.set(summary, termsFor(summary));
  }

  /** @param areAsked their jobs are in the queue, so some may be begun all the same */
  releaseGrants(now: Date, areAsked: boolean): void {
    if (areAsked) this.recall(now);
    for (const summary of this.grants.pods.values()) this.candidates.add(summary);
    this.grants.clear();
  }

  /** Unix ms until which a recalled pod may still turn out to be begun; `Infinity` when none may. */
  recalledUntil(now: Date): number {
    let last = 0;
    for (const until of this.recalled.values()) last = Math.max(last, until);
    return last > now.getTime() ? last : Number.POSITIVE_INFINITY;
  }

  isRecalled(key: string): boolean {
    return this.recalled.has(key);
  }

  get hasRecalled(): boolean {
    return this.recalled.size > 0;
  }

  private recall(now: Date): void {
    for (const key of this.grants.pods.keys()) this.recalled.set(key, now.getTime() + RECALL_MS);
  }

  /** Unix ms at which some summary changes by time alone; `Infinity` for never. */
  get nextReview(): number {
    return this.reviews.next;
  }

  /** Takes in a pod's newest version; a version that is known already costs nothing. */
  apply(context: SummaryContext, pod: ProjectedPod | Pod, now: Date): void {
    const key = podKey(pod);
    const known = this.entries.get(key)?.pod.metadata;
    const { resourceVersion, uid } = pod.metadata;
    if (known !== undefined && known.uid === uid && known.resourceVersion === resourceVersion && resourceVersion)
      return;
    this.place(key, pod, summarizePod(context, pod, now));
  }

  remove(key: string): void {
    const old = this.entries.get(key);
    if (old === undefined) return;
    this.forget(old);
    this.entries.delete(key);
    this.byKey = undefined;
    this.recalled.delete(key);
  }

  /** Looks again at the pods whose time has come. */
  review(context: SummaryContext, now: Date): void {
    for (const key of this.reviews.takeDue(now.getTime())) {
      const entry = this.entries.get(key);
      if (entry !== undefined) this.place(key, entry.pod, summarizePod(context, entry.pod, now, entry.summary));
    }
  }

  /**
   * Looks again at every pod, because the SidecarSet changed.
   *
   * @param isSameOrder its priorities did not
   */
  reviewAll(context: SummaryContext, now: Date, isSameOrder: boolean): void {
    this.recall(now);
    this.tally = new Tally();
    this.candidates.clear();
    this.grants.clear();
    this.prePull.clear();
    this.reviews.clear();
    const entries = [...this.entries];
    this.entries.clear();
    for (const [key, { pod, summary }] of entries) {
      this.place(key, pod, summarizePod(context, pod, now, isSameOrder ? summary : undefined));
    }
  }

  takeChanged(): Set<string> {
    const taken = this.changed;
    this.changed = new Set();
    return taken;
  }

  private place(key: string, pod: ProjectedPod | Pod, summary: PodSummary): void {
    const old = this.entries.get(key);
    const terms = old !== undefined && isSamePick(old.summary, summary) ? this.grants.termsOf(key) : undefined;
    if (old !== undefined) this.forget(old);
    if (old === undefined || !isSameToScatter(old.summary, summary)) this.byKey = undefined;
    this.entries.set(key, { pod, summary });
    this.changed.add(key);
    if (summary.inFlight || summary.onTarget) this.recalled.delete(key);
    if (!summary.matched && !summary.apart) return;
    this.tally.add(summary);
    if (summary.candidate) {
      if (terms !== undefined) this.grants.set(summary, terms);
      else this.candidates.add(summary);
      this.prePull.count(summary, 1);
    }
    this.reviews.set(key, summary.reviewAt);
  }

  private forget({ summary }: Entry): void {
    this.changed.add(summary.key);
    this.reviews.delete(summary.key);
    if (!summary.matched && !summary.apart) return;
    this.tally.remove(summary);
    this.grants.delete(summary.key);
    this.candidates.remove(summary.key);
    if (summary.candidate) this.prePull.count(summary, -1);
  }
}

const isSamePick = (a: PodSummary, b: PodSummary): boolean =>
  a.uid === b.uid && a.attempt === b.attempt && a.candidate && b.candidate;

/** Projected pods share their labels, so these are the same object while they are equal. */
const isSameToScatter = (a: PodSummary, b: PodSummary): boolean => a.matched === b.matched && a.labels === b.labels;
