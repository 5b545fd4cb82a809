/** What happened to one object of a store. `previous` is the object before an update. */
export type StoreChange<T> =
  | { type: 'added'; key: string; object: T }
  | { type: 'updated'; key: string; object: T; previous: T }
  | { type: 'deleted'; key: string; object: T };

/** The values under which an object is found in an index; none keeps it out. */
export type IndexFunction<T> = (object: T, key: string) => readonly string[];

/** The read side, which is all that a consumer needs. */
export interface StoreReader<T> {
  readonly size: number;
  get(key: string): T | undefined;
  has(key: string): boolean;
  keys(): IterableIterator<string>;
  values(): IterableIterator<T>;
  /** Objects with that value in the named index, in the order in which they came. Throws for an index that was not declared. */
  by(index: string, value: string): T[];
  /** How many objects have that value, without building a list. */
  countBy(index: string, value: string): number;
  /** Called for every change after it was made; returns a function that ends the subscription. */
  subscribe(listener: (change: StoreChange<T>) => void): () => void;
}

/** `namespace/name`, or the name alone for a cluster-scoped object. */
export function objectKey(object: { namespace?: string | undefined; name?: string | undefined }): string {
  return object.namespace ? `${object.namespace}/${object.name ?? ''}` : (object.name ?? '');
}

/** Splits what `objectKey` made. */
export function parseKey(key: string): { namespace?: string; name: string } {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/**
 * Objects by key, with named indexes and subscribers. A reflector writes it; everybody else reads.
 * A listener that throws stops neither the write nor the other listeners: its error goes to `onListenerError`.
 */
export class Store<T> implements StoreReader<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes: Map<string, Index<T>>;
  readonly #listeners = new Set<(change: StoreChange<T>) => void>();
  readonly #onListenerError: (error: unknown) => void;

  constructor(
    options: { indexes?: Record<string, IndexFunction<T>>; onListenerError?: (error: unknown) => void } = {},
  ) {
    this.#indexes = new Map(Object.entries(options.indexes ?? {}).map(([name, of]) => [name, new Index(of)]));
    this.#onListenerError = options.onListenerError ?? (() => undefined);
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  has(key: string): boolean {
    return this.#objects.has(key);
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  by(index: string, value: string): T[] {
    const keys = this.#index(index).keysOf(value);
    return keys === undefined ? [] : Array.from(keys, (key) => this.#objects.get(key) as T);
  }

  countBy(index: string, value: string): number {
    return this.#index(index).keysOf(value)?.size ?? 0;
  }

  subscribe(listener: (change: StoreChange<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  set(key: string, object: T): void {
    const had = this.#objects.has(key);
    const previous = this.#objects.get(key) as T;
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) index.put(key, object);
    this.#notify(had ? { type: 'updated', key, object, previous } : { type: 'added', key, object });
  }

  delete(key: string): void {
    if (!this.#objects.has(key)) return;
    const object = this.#objects.get(key) as T;
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) index.remove(key);
    this.#notify({ type: 'deleted', key, object });
  }

  #index(name: string): Index<T> {
    const index = this.#indexes.get(name);
    if (!index)
      throw new RangeError(`no index "${name}": declared are ${[...this.#indexes.keys()].join(', ') || 'none'}`);
    return index;
  }

  #notify(change: StoreChange<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }
}

class Index<T> {
  readonly #keysOf = new Map<string, Set<string>>();
  /** What each key was filed under; the object may have been changed in place since. */
  readonly #valuesOf = new Map<string, readonly string[]>();
  readonly #of: IndexFunction<T>;

  constructor(of: IndexFunction<T>) {
    this.#of = of;
  }

  keysOf(value: string): ReadonlySet<string> | undefined {
    return this.#keysOf.get(value);
  }

  put(key: string, object: T): void {
    const values = this.#of(object, key);
    const before = this.#valuesOf.get(key);
    if (before && sameValues(before, values)) return;
    this.remove(key);
    if (values.length === 0) return;
    this.#valuesOf.set(key, values);
    for (const value of values) {
      const keys = this.#keysOf.get(value);
      if (keys) keys.add(key);
      else this.#keysOf.set(value, new Set([key]));
    }
  }

  remove(key: string): void {
    for (const value of this.#valuesOf.get(key) ?? []) {
      const keys = this.#keysOf.get(value);
      keys?.delete(key);
      if (keys?.size === 0) this.#keysOf.delete(value);
    }
    this.#valuesOf.delete(key);
  }
}

const sameValues = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i]);
