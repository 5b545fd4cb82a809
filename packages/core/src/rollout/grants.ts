import { CandidateQueue } from './candidate-queue.js';
import { holdsSlot } from './tally.js';
import type { PodSummary } from './types.js';

/** `free`: the pod was not ready when it was picked, so that beginning it takes nothing of maxUnavailable. */
export type GrantTerms = 'paid' | 'free';

/**
 * Pods that were picked and not yet seen begun. They may be by now, so each keeps its place whatever newcomers sort before it, and
 * what it costs: a pod that turns unready gives nothing back, because its job would begin it just the same once it is ready again.
 *
 * What costs nothing is begun only while it is not ready; workers see to that (`findUnpaid`), since news of a pod is always a
 * little late. Such a pod that has become ready keeps its place and waits until it can be paid for.
 */
export class Grants {
  private readonly picked = new Map<string, PodSummary>();
  private readonly free = new Set<string>();
  private readonly waiting = new CandidateQueue();
  /** Of those that wait, the ones that are still under way with something earlier: each holds a slot already. */
  private readonly waitingHolders = new Map<string, PodSummary>();
  private taken = 0;

  get pods(): ReadonlyMap<string, PodSummary> {
    return this.picked;
  }

  /** How many slots of maxUnavailable they will take that they do not take yet. */
  get slots(): number {
    return this.taken;
  }

  /** Picked for nothing and ready by now, in the order in which they are to be paid for: a slot of maxUnavailable each. */
  get unpaid(): Iterable<PodSummary> {
    return this.waiting.inOrder();
  }

  /** Picked for nothing, ready by now, and holding the slot that they need; there may be more of them than slots. */
  get unpaidHolders(): Iterable<PodSummary> {
    return this.waitingHolders.values();
  }

  get unpaidCount(): number {
    return this.waiting.size + this.waitingHolders.size;
  }

  /** Undefined for a pod that is not picked. */
  termsOf(key: string): GrantTerms | undefined {
    if (!this.picked.has(key)) return undefined;
    return this.free.has(key) ? 'free' : 'paid';
  }

  /** Picked, and as far as is known there is nothing to pay, or it is paid for. */
  isAsked(key: string): boolean {
    return this.picked.has(key) && !this.waiting.has(key) && !this.waitingHolders.has(key);
  }

  /** Adds a pod, or takes in its newest summary. */
  set(summary: PodSummary, terms: GrantTerms): void {
    this.delete(summary.key);
    this.picked.set(summary.key, summary);
    if (terms === 'paid') this.taken += slotsOf(summary);
    else {
      this.free.add(summary.key);
      if (!summary.podReady) return;
      if (holdsSlot(summary)) this.waitingHolders.set(summary.key, summary);
      else this.waiting.add(summary);
    }
  }

  delete(key: string): void {
    const summary = this.picked.get(key);
    if (summary === undefined) return;
    this.picked.delete(key);
    this.waiting.remove(key);
    this.waitingHolders.delete(key);
    if (!this.free.delete(key)) this.taken -= slotsOf(summary);
  }

  clear(): void {
    this.picked.clear();
    this.free.clear();
    this.waiting.clear();
    this.waitingHolders.clear();
    this.taken = 0;
  }
}

/** What a pod is picked at. */
export const termsFor = ({ podReady }: PodSummary): GrantTerms => (podReady ? 'paid' : 'free');

/** One that is under way holds its slot already. */
const slotsOf = (summary: PodSummary): number => (holdsSlot(summary) ? 0 : 1);
