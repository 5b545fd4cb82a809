import { compareOrder } from './pod-order.js';
import type { PodSummary } from './types.js';

/** Below this many changes it is cheaper to place each one than to sort again. */
const PLACE_LIMIT = 64;

/**
 * Candidates in the order in which they are begun. Placing or taking out one costs a binary search, whatever the number of pods;
 * many at once (a new revision) are sorted together when the order is next asked for.
 */
export class CandidateQueue {
  private readonly members = new Map<string, PodSummary>();
  private sorted: PodSummary[] = [];
  private readonly added = new Map<string, PodSummary>();

  get size(): number {
    return this.members.size;
  }

  has(key: string): boolean {
    return this.members.has(key);
  }

  add(summary: PodSummary): void {
    this.remove(summary.key);
    this.members.set(summary.key, summary);
    this.added.set(summary.key, summary);
  }

  remove(key: string): void {
    const old = this.members.get(key);
    if (old === undefined) return;
    this.members.delete(key);
    if (this.added.delete(key)) return;
    const at = this.placeOf(old);
    if (this.sorted[at] === old) this.sorted.splice(at, 1);
  }

  clear(): void {
    this.members.clear();
    this.added.clear();
    this.sorted = [];
  }

  /** The order; valid until the next change. */
  inOrder(): readonly PodSummary[] {
    if (this.added.size > PLACE_LIMIT) this.sorted = [...this.sorted, ...this.added.values()].sort(compare);
    else for (const summary of this.added.values()) this.sorted.splice(this.placeOf(summary), 0, summary);
    this.added.clear();
    return this.sorted;
  }

  private placeOf(summary: PodSummary): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.sorted[middle] as PodSummary, summary) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function compare(a: PodSummary, b: PodSummary): number {
  return compareOrder(a.order, b.order) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}
