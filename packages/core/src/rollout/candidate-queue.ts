import { LabelTally } from './label-tally.js';
import { compareOrder } from './pod-order.js';
import { SortedBlocks } from './sorted-blocks.js';
import type { PodSummary } from './types.js';

/** Below this many changes it is cheaper to place each one than to sort again. */
const PLACE_LIMIT = 64;

/**
 * Candidates in the order in which they are begun. Many at once (a new revision) are sorted together when the order is next
 * asked for; a single one is put in its place.
 */
export class CandidateQueue {
  private readonly members = new Map<string, PodSummary>();
  private readonly sorted = new SortedBlocks<PodSummary>(compare);
  private readonly added = new Map<string, PodSummary>();
  private unready = 0;
  /** Of the members, for scattering. */
  readonly labels = new LabelTally(() => this.members.values());

  get size(): number {
    return this.members.size;
  }

  /** Some candidate costs no availability when it is begun. */
  get hasUnready(): boolean {
    return this.unready > 0;
  }

  has(key: string): boolean {
    return this.members.has(key);
  }

  add(summary: PodSummary): void {
    this.remove(summary.key);
    this.members.set(summary.key, summary);
    this.labels.add(summary);
    this.added.set(summary.key, summary);
    if (!summary.podReady) this.unready += 1;
  }

  remove(key: string): void {
    const old = this.members.get(key);
    if (old === undefined) return;
    this.members.delete(key);
    this.labels.remove(old);
    if (!old.podReady) this.unready -= 1;
    if (!this.added.delete(key)) this.sorted.remove(old);
  }

  clear(): void {
    this.members.clear();
    this.labels.clear();
    this.unready = 0;
    this.added.clear();
    this.sorted.clear();
  }

  /** The order; valid until the next change. */
  inOrder(): Iterable<PodSummary> {
    if (this.added.size > PLACE_LIMIT) this.sorted.merge(this.added.values());
    else for (const summary of this.added.values()) this.sorted.insert(summary);
    this.added.clear();
    return this.sorted;
  }
}

function compare(a: PodSummary, b: PodSummary): number {
  return compareOrder(a.order, b.order) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}
