import type { UpdateStrategy } from '../api/sidecarset.js';
import type { UpgradeTarget } from '../pod-upgrade/types.js';
import { countPicks } from './budget.js';
import type { PodBook } from './pod-book.js';
import { targetImages } from './pre-pull.js';
import { expandScatterTerms, scatter } from './scatter.js';
import type { PodSummary } from './types.js';

export interface PickLimits {
  /** Candidates that stay on the old revision. */
  partition: number;
  maxUnavailable: number;
  /** Pods that may be on the target (canary step). */
  stepLimit: number;
}

/** The pods to be begun beyond those picked earlier, in order; first those of them that cost nothing then and do now. */
export function pickPods(book: PodBook, target: UpgradeTarget, limits: PickLimits): PodSummary[] {
  const used = book.tally.holding + book.grants.slots;
  const room = limits.maxUnavailable - used;
  const paid = payFor(book, room);
  return [...holdersWithin(book, room), ...paid, ...pickOthers(book, target, limits, used + paid.length)];
}

/**
 * Those that hold their slot already. Pods that were begun while they were not ready may be under way in any number, and become
 * ready so; while more of them hold slots than there are, none of them is begun once more.
 */
const holdersWithin = ({ grants }: PodBook, room: number): Iterable<PodSummary> =>
  room < 0 ? [] : grants.unpaidHolders;

function payFor({ grants }: PodBook, room: number): PodSummary[] {
  const paid: PodSummary[] = [];
  if (room <= 0 || grants.unpaidCount === 0) return paid;
  for (const pod of grants.unpaid) {
    if (paid.length === room) break;
    paid.push(pod);
  }
  return paid;
}

function pickOthers(book: PodBook, target: UpgradeTarget, limits: PickLimits, used: number): PodSummary[] {
  const limit = Math.min(book.candidateCount - limits.partition, limits.stepLimit - book.tally.onTarget);
  const room = limit - book.grants.pods.size;
  if (room <= 0) return [];
  if (used >= limits.maxUnavailable && !book.candidates.hasUnready) return [];
  const order = recalledFirst(book, orderOf(book, target.sidecarSet.spec.updateStrategy));
  return takeWhileCounted(filter(order, imagesNeeded(book, target)), room, used, limits.maxUnavailable);
}

/** A pod that may have been begun under the spec before must not be joined by another one in its place. */
function recalledFirst(book: PodBook, order: Iterable<PodSummary>): Iterable<PodSummary> {
  if (!book.hasRecalled) return order;
  const all = [...order];
  return [...all.filter(({ key }) => book.isRecalled(key)), ...all.filter(({ key }) => !book.isRecalled(key))];
}

type Readiness = (pod: PodSummary) => boolean;

function imagesNeeded(book: PodBook, target: UpgradeTarget): Readiness {
  if (target.sidecarSet.spec.updateStrategy?.prePull !== true) return () => true;
  const images = targetImages(target);
  return (pod) => book.prePull.isPresent(pod.node, images);
}

function* filter(order: Iterable<PodSummary>, isFit: Readiness): Iterable<PodSummary> {
  for (const pod of order) if (isFit(pod)) yield pod;
}

function takeWhileCounted(
  order: Iterable<PodSummary>,
  room: number,
  used: number,
  maxUnavailable: number,
): PodSummary[] {
  const seen: PodSummary[] = [];
  const remembered = (function* () {
    for (const pod of order) {
      seen.push(pod);
      yield pod;
    }
  })();
  return seen.slice(0, countPicks(remembered, room, used, maxUnavailable));
}

function orderOf(book: PodBook, strategy: UpdateStrategy | undefined): Iterable<PodSummary> {
  const terms = strategy?.scatterStrategy ?? [];
  if (terms.length === 0 || book.candidates.size <= 1) return book.candidates.inOrder();
  const pods = book.matchedByKey();
  return scatter(book.candidates, expandScatterTerms(terms, pods), pods);
}
