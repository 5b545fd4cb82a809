import type { Labelled, LabelTally } from './label-tally.js';

/**
 * Spreads pods that share a label value over the order in which pods are begun (`updateStrategy.scatterStrategy`). The outcome
 * is OpenKruise 1.9's; the tables in the tests and the recorded cases pin it.
 */
export interface ScatterTerm {
  key: string;
  value: string;
}

/** What is put in order: the pods as they come before scattering, and how many of them have which label. */
export interface Scatterable<T extends Labelled> {
  readonly size: number;
  inOrder(): Iterable<T>;
  readonly labels: Pick<LabelTally, 'of'>;
}

/** Remembered for the array of all pods, which stays the same while only their upgrade moves on. */
const countsOf = new WeakMap<readonly Labelled[], Map<string, number>>();
const expansionsOf = new WeakMap<object, Map<string, ScatterTerm[]>>();

/** Explicit terms, with `*` replaced by every value that some pod has for the key; each term once. */
export function expandScatterTerms(terms: readonly ScatterTerm[], pods: readonly Labelled[]): ScatterTerm[] {
  const known = expansionsOf.get(pods) ?? new Map<string, ScatterTerm[]>();
  expansionsOf.set(pods, known);
  const id = JSON.stringify(terms);
  const expanded = known.get(id) ?? expand(terms, pods);
  known.set(id, expanded);
  return expanded;
}

function expand(terms: readonly ScatterTerm[], pods: readonly Labelled[]): ScatterTerm[] {
  const expanded = new Map<string, ScatterTerm>();
  const add = (key: string, value: string) => {
    const id = JSON.stringify([key, value]);
    if (!expanded.has(id)) expanded.set(id, { key, value });
  };
  for (const { key, value } of terms) {
    if (value !== '*') add(key, value);
    else for (const { labels } of pods) if (Object.hasOwn(labels, key)) add(key, labels[key] as string);
  }
  return [...expanded.values()];
}

/**
 * The order of candidates in which the pods of each term are spread among the others. It is made while it is read: the first few
 * pods cost a look at about as many, however many there are.
 *
 * @param pods every pod of the SidecarSet: how dense a term's pods are among all of them decides how far apart they are put
 */
export function scatter<T extends Labelled>(
  candidates: Scatterable<T>,
  terms: readonly ScatterTerm[],
  pods: readonly Labelled[],
): Iterable<T> {
  let order: Iterable<T> = candidates.inOrder();
  let depth = 0;
  for (const { term, inside } of byMatches(terms, candidates)) {
    const outside = candidates.size - inside;
    if (inside <= 1 || outside <= 1) continue;
    const total = countAll(pods, term);
    // One of the term's pods is kept for the very end.
    const groups = groupSizes({ inside: total - 1, outside: pods.length - total }, { inside: inside - 1, outside });
    order = new Spread(order, term, groups, { inside: inside - 1, outside });
    depth += 1;
    // Each one reads from the one before, so a long chain is a deep stack.
    if (depth % DEEPEST === 0) order = [...order];
  }
  return order;
}

const DEEPEST = 64;

const matches = ({ labels }: Labelled, { key, value }: ScatterTerm): boolean =>
  (Object.hasOwn(labels, key) ? labels[key] : '') === value;

/** The term with most candidates is dealt with first, so that later ones can only disturb it a little. */
function byMatches(
  terms: readonly ScatterTerm[],
  { size, labels }: Pick<Scatterable<Labelled>, 'size' | 'labels'>,
): { term: ScatterTerm; inside: number }[] {
  const counted = terms.map((term) => {
    const values = labels.of(term.key);
    const having = values.get(term.value) ?? 0;
    if (term.value !== '') return { term, having, inside: having };
    // A pod without the label counts as one with an empty value.
    const others = [...values].reduce((sum, [value, count]) => (value === '' ? sum : sum + count), 0);
    return { term, having, inside: size - others };
  });
  if (terms.length === 1) return counted;
  return counted.filter(({ having }) => having > 0).sort((a, b) => b.having - a.having);
}

function countAll(pods: readonly Labelled[], term: ScatterTerm): number {
  const counts = countsOf.get(pods) ?? new Map<string, number>();
  countsOf.set(pods, counts);
  const id = JSON.stringify([term.key, term.value]);
  const count = counts.get(id) ?? pods.filter((pod) => matches(pod, term)).length;
  counts.set(id, count);
  return count;
}

/** An order in which the pods of one term are spread. Reads no more of the order before than it has to. */
class Spread<T extends Labelled> implements Iterable<T> {
  constructor(
    private readonly order: Iterable<T>,
    private readonly term: ScatterTerm,
    private readonly groups: Groups,
    /** Of the candidates, without the one that is kept for the end. */
    private readonly counts: Split,
  ) {}

  *[Symbol.iterator](): Iterator<T> {
    const { groups, counts } = this;
    const split = new Sorting(this.order, (pod) => matches(pod, this.term));
    const left = { ...counts };
    const take = (side: keyof Split, most: number): Iterable<T> => {
      const count = Math.min(most, left[side]);
      left[side] -= count;
      return split.take(side, count);
    };
    yield* take('outside', groups.lead);
    for (let i = 0; i < groups.count; i += 1) {
      yield* take('inside', groups.inside);
      yield* take('outside', groups.outside);
    }
    yield* take('inside', left.inside);
    yield* take('outside', left.outside);
    yield* split.take('inside', 1);
  }
}

/** Two lines out of one, each read at its own pace. */
class Sorting<T> {
  private readonly source: Iterator<T>;
  private readonly lines = { inside: { items: [] as T[], next: 0 }, outside: { items: [] as T[], next: 0 } };

  constructor(
    source: Iterable<T>,
    private readonly isInside: (item: T) => boolean,
  ) {
    this.source = source[Symbol.iterator]();
  }

  *take(side: keyof Split, count: number): Iterable<T> {
    const line = this.lines[side];
    for (let taken = 0; taken < count; taken += 1) {
      while (line.next >= line.items.length && this.readOne());
      if (line.next >= line.items.length) return;
      yield line.items[line.next++] as T;
    }
  }

  private readOne(): boolean {
    const { done, value } = this.source.next();
    if (done === true) return false;
    this.lines[this.isInside(value) ? 'inside' : 'outside'].items.push(value);
    return true;
  }
}

interface Split {
  inside: number;
  outside: number;
}

interface Groups extends Split {
  count: number;
  /** Pods outside the term that go before the first group. */
  lead: number;
}

/** As sparse as the term is among all pods, or among the candidates where it is denser there. */
function groupSizes(all: Split, candidates: Split): Groups {
  if (Math.fround(all.outside / all.inside) >= Math.fround(candidates.outside / candidates.inside)) {
    return { ...evenly(candidates), lead: 0 };
  }
  const { inside, outside } = evenly(all);
  const count = Math.min(Math.floor(candidates.inside / inside), Math.floor(candidates.outside / outside));
  return { inside, outside, count, lead: candidates.outside - count * outside };
}

function evenly({ inside, outside }: Split): Omit<Groups, 'lead'> {
  const count = Math.min(inside, outside);
  return { count, inside: Math.round(inside / count), outside: Math.round(outside / count) };
}
