/**
 * Spreads pods that share a label value over the order in which pods are begun (`updateStrategy.scatterStrategy`). The outcome
 * is OpenKruise 1.9's; the tables in the tests and the recorded cases pin it.
 */
export interface ScatterTerm {
  key: string;
  value: string;
}

export interface Labelled {
  readonly labels: Readonly<Record<string, string>>;
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
 * Reorders candidates so that the pods of each term are spread among the others.
 *
 * @param candidates in the order before scattering
 * @param pods every pod of the SidecarSet: how dense a term's pods are among all of them decides how far apart they are put
 */
export function scatter<T extends Labelled>(
  candidates: readonly T[],
  terms: readonly ScatterTerm[],
  pods: readonly Labelled[],
): T[] {
  return byMatches(terms, candidates).reduce((order, term) => scatterByTerm(order, term, pods), [...candidates]);
}

const matches = ({ labels }: Labelled, { key, value }: ScatterTerm): boolean =>
  (Object.hasOwn(labels, key) ? labels[key] : '') === value;

/** The term with most candidates is dealt with first, so that later ones can only disturb it a little. */
function byMatches(terms: readonly ScatterTerm[], candidates: readonly Labelled[]): ScatterTerm[] {
  if (terms.length === 1) return [...terms];
  const counted = terms.map((term) => ({ term, count: candidates.filter((each) => hasValue(each, term)).length }));
  return counted
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
    .map(({ term }) => term);
}

function countAll(pods: readonly Labelled[], term: ScatterTerm): number {
  const counts = countsOf.get(pods) ?? new Map<string, number>();
  countsOf.set(pods, counts);
  const id = JSON.stringify([term.key, term.value]);
  const count = counts.get(id) ?? pods.filter((pod) => matches(pod, term)).length;
  counts.set(id, count);
  return count;
}

const hasValue = ({ labels }: Labelled, { key, value }: ScatterTerm): boolean =>
  Object.hasOwn(labels, key) && labels[key] === value;

function scatterByTerm<T extends Labelled>(order: T[], term: ScatterTerm, pods: readonly Labelled[]): T[] {
  const inside = order.filter((pod) => matches(pod, term));
  const outside = order.filter((pod) => !matches(pod, term));
  if (inside.length <= 1 || outside.length <= 1) return order;
  const total = countAll(pods, term);
  // One of the term's pods is kept for the very end.
  const last = inside.pop() as T;
  const groups = groupSizes(
    { inside: total - 1, outside: pods.length - total },
    { inside: inside.length, outside: outside.length },
  );
  const spread: T[] = outside.splice(0, groups.lead);
  for (let i = 0; i < groups.count; i += 1) {
    spread.push(...inside.splice(0, groups.inside), ...outside.splice(0, groups.outside));
  }
  return [...spread, ...inside, ...outside, last];
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
