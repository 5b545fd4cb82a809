import type { PodBook } from './pod-book.js';
import type { PodSummary, RolloutJob } from './types.js';

/** A pod that can be reset or aborted goes before every other work of any SidecarSet: it runs two sidecars meanwhile. */
const FINISHING_PRIORITY = 1;
/** A pod half way to a revision that is no longer wanted goes before one that is still whole. */
const REDIRECT_PRIORITY = 2;

/**
 * Pods whose begin is asked for in one look at all pods. Ten thousand jobs take a queue seconds, in which a pod that can be
 * reset would wait behind those that are only to be begun.
 */
export const BEGUN_AT_ONCE = 100;

/**
 * Milliseconds until the next look where more are to be asked for and no pod changes sooner. Filling the queue as fast as it goes would take
 * the processor from the first pods of the rollout, and no API server begins pods that fast.
 */
export const MORE_AFTER_MS = 50;

/** Turns what is due into jobs, each of them once, until it changes or a resync asks for all. */
export class JobOutbox {
  /** Pod key to the job it was last given. */
  private readonly sent = new Map<string, string>();
  /** Keys of picked pods that were not asked for yet, in the order of their picks. */
  private readonly waiting = new Set<string>();

  clear(): void {
    this.sent.clear();
    this.waiting.clear();
  }

  /** There are more pods to be begun than one call of `collect` returned. */
  get hasMore(): boolean {
    return this.waiting.size > 0;
  }

  /** @param keys the pods that changed; undefined for a resync */
  collect(
    book: PodBook,
    picks: readonly PodSummary[],
    revision: string,
    keys: ReadonlySet<string> | undefined,
  ): RolloutJob[] {
    const jobs: RolloutJob[] = [];
    if (keys === undefined) this.clear();
    const summaries = keys === undefined ? book.summaries() : [...keys].map((key) => book.get(key));
    for (const summary of summaries) {
      if (summary === undefined || !(summary.matched || summary.apart)) continue;
      if (isFinishing(summary)) this.add(jobs, summary, revision, FINISHING_PRIORITY);
      else if (!summary.candidate) this.sent.delete(summary.key);
    }
    for (const key of keys ?? []) if (book.get(key) === undefined) this.sent.delete(key);
    if (keys === undefined) for (const key of book.grants.pods.keys()) this.waiting.add(key);
    else this.renew(book, picks, keys);
    this.begin(jobs, book, revision);
    return jobs;
  }

  /**
   * What was picked just now is asked for whatever was asked for before: it may be on other terms. So is a pod picked for nothing
   * whenever there is news of it: it may have been ready in between, which ends its job.
   */
  private renew(book: PodBook, picks: readonly PodSummary[], keys: ReadonlySet<string>): void {
    const isFree = (key: string): boolean => book.grants.termsOf(key) === 'free';
    for (const key of [...picks.map((pick) => pick.key), ...[...keys].filter(isFree)]) {
      this.sent.delete(key);
      this.waiting.add(key);
    }
  }

  /** A pick that was taken back meanwhile is not in the book's grants any more. */
  private begin(jobs: RolloutJob[], book: PodBook, revision: string): void {
    const priority = beginPriority(book.tally.stale);
    let room = BEGUN_AT_ONCE;
    for (const key of this.waiting) {
      if (room === 0) return;
      this.waiting.delete(key);
      const pick = book.grants.isAsked(key) ? book.grants.pods.get(key) : undefined;
      if (pick === undefined) continue;
      const isFree = book.grants.termsOf(key) === 'free';
      this.add(jobs, pick, revision, pick.inFlight ? REDIRECT_PRIORITY : priority, isFree);
      room -= 1;
    }
  }

  private add(jobs: RolloutJob[], summary: PodSummary, revision: string, priority: number, isFree = false): void {
    const { key, namespace, name, uid, due, attempt } = summary;
    if (due === 'none') return;
    const id = `${uid}.${revision}.${due}.${attempt}`;
    if (this.sent.get(key) === id) return;
    this.sent.set(key, id);
    const job: RolloutJob = { namespace, pod: name, uid, revision, phase: due, attempt, priority };
    jobs.push(isFree ? { ...job, pickedUnready: true } : job);
  }
}

/** `migration` only waits: the watch shows when it is over, and the worker that began the pod has left a job for it. */
const isFinishing = ({ due }: PodSummary): boolean => due === 'reset' || due === 'abort';

/** The fewer pods a rollout still has to begin the sooner its turn comes, so that a small one is not stuck behind a huge one. */
const beginPriority = (stale: number): number => 3 + Math.ceil(Math.log2(1 + stale));
