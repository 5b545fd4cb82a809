import type { LabelSelector } from '../api/kubernetes.js';

/** One label requirement that can be looked up: the key alone, or the key with each of the values that fulfil it. */
interface Term {
  buckets: string[];
}

/**
 * Finds selectors that may match a label map without visiting those that cannot.
 *
 * Every selector is filed under one of its own requirements (the emptiest bucket at that time); looking up a label map visits
 * the buckets of its labels only. An entry that is found still has to be matched: the index only leaves out the impossible.
 */
export class LabelIndex<T> {
  private readonly buckets = new Map<string, Set<T>>();
  private readonly filedUnder = new Map<T, string[]>();
  /** Selectors without a positive requirement (`NotIn`, `DoesNotExist`) can match anything. */
  private readonly anywhere = new Set<T>();

  get size(): number {
    return this.filedUnder.size;
  }

  add(entry: T, selector: LabelSelector): void {
    this.remove(entry);
    const terms = positiveTerms(selector);
    if (terms.length === 0) this.anywhere.add(entry);
    const buckets = terms.length === 0 ? [] : this.emptiest(terms).buckets;
    for (const bucket of buckets) this.bucket(bucket).add(entry);
    this.filedUnder.set(entry, buckets);
  }

  remove(entry: T): void {
    for (const name of this.filedUnder.get(entry) ?? []) {
      const bucket = this.buckets.get(name);
      bucket?.delete(entry);
      if (bucket?.size === 0) this.buckets.delete(name);
    }
    this.filedUnder.delete(entry);
    this.anywhere.delete(entry);
  }

  /** Adds every entry whose selector may match these labels to `found`. */
  collect(labels: Readonly<Record<string, string>>, found: Set<T>): void {
    for (const entry of this.anywhere) found.add(entry);
    for (const key of Object.keys(labels)) {
      for (const entry of this.buckets.get(keyBucket(key)) ?? []) found.add(entry);
      for (const entry of this.buckets.get(pairBucket(key, labels[key]!)) ?? []) found.add(entry);
    }
  }

  private bucket(name: string): Set<T> {
    const existing = this.buckets.get(name);
    if (existing !== undefined) return existing;
    const created = new Set<T>();
    this.buckets.set(name, created);
    return created;
  }

  private emptiest(terms: Term[]): Term {
    const load = (term: Term): number =>
      term.buckets.reduce((sum, name) => sum + 1 + (this.buckets.get(name)?.size ?? 0), 0);
    return terms.reduce((best: Term, term) => (load(term) < load(best) ? term : best));
  }
}

function positiveTerms(selector: LabelSelector): Term[] {
  const pairs = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    buckets: [pairBucket(key, value)],
  }));
  const expressions = (selector.matchExpressions ?? []).flatMap(({ key, operator, values }) => {
    if (operator === 'Exists') return [{ buckets: [keyBucket(key)] }];
    if (operator !== 'In' || !values?.length) return [];
    return [{ buckets: [...new Set(values)].map((value) => pairBucket(key, value)) }];
  });
  return [...pairs, ...expressions];
}

// A label key holds no NUL, so the two kinds of buckets never share a name.
const keyBucket = (key: string): string => key;
const pairBucket = (key: string, value: string): string => `${key}\0${value}`;
