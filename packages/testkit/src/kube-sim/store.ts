import { deleteRecord, putRecord, type SavedState, sequenceRecord } from './durable/records.js';
import { type Entry, entryOf, keyOf, resourceId } from './entry.js';
import type { ResourceDefinition, SimObject } from './types.js';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One write, as watches see it. */
export interface Change {
  readonly type: ChangeType;
  readonly resourceVersion: number;
  readonly entry: Entry;
  /** The version before it: a watch with a selector must know whether the object left or entered its view. */
  readonly previous: Pick<Entry, 'labels' | 'fields'> | undefined;
}

export type ChangeListener = (change: Change) => void;

/** Objects of one resource and the changes that a watch may still resume from. */
export class ResourceStore {
  private readonly entries = new Map<string, Entry>();
  private sorted: string[] | undefined;
  private history: Change[] = [];
  private readonly listeners = new Set<ChangeListener>();

  constructor(
    private readonly historyLimit: number,
    /** Resource version of the newest change that is no longer in the history. */
    private forgotten: number,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  get(namespace: string | undefined, name: string): Entry | undefined {
    return this.entries.get(keyOf(namespace, name));
  }

  /** Entries in key order; of one namespace if given. */
  list(namespace?: string): Entry[] {
    this.sorted ??= [...this.entries.keys()].sort();
    const prefix = `${namespace ?? ''}/`;
    const keys = namespace ? this.sorted.filter((key) => key.startsWith(prefix)) : this.sorted;
    return keys.map((key) => this.entries.get(key) as Entry);
  }

  values(): IterableIterator<Entry> {
    return this.entries.values();
  }

  /** Changes after `resourceVersion`; undefined when some of them are forgotten. */
  changesSince(resourceVersion: number): Change[] | undefined {
    if (resourceVersion < this.forgotten) return undefined;
    return this.history.filter((change) => change.resourceVersion > resourceVersion);
  }

  get oldestResumable(): number {
    return this.forgotten;
  }

  subscribe(listener: ChangeListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Forgets the history, as etcd's compaction does: whoever resumes from before now gets 410. */
  compact(now: number): void {
    this.history = [];
    this.forgotten = now;
  }

  /** Puts back what a server before this one had; it is no change, and nobody hears of it. */
  restore(entry: Entry): void {
    this.entries.set(entry.key, entry);
    this.sorted = undefined;
  }

  apply(change: Change): void {
    const { entry } = change;
    if (change.type === 'DELETED') this.entries.delete(entry.key);
    else this.entries.set(entry.key, entry);
    if (change.type !== 'MODIFIED') this.sorted = undefined;
    this.remember(change);
    for (const listener of this.listeners) listener(change);
  }

  private remember(change: Change): void {
    this.history.push(change);
    if (this.history.length < this.historyLimit * 2) return;
    const dropped = this.history.length - this.historyLimit;
    this.forgotten = (this.history[dropped - 1] as Change).resourceVersion;
    this.history = this.history.slice(dropped);
  }
}

/** Where commits are kept before anybody hears of them. */
export interface CommitLog {
  append(records: readonly string[]): void;
}

type Resource = { group: string; plural: string };

/** Every object of the server, under one sequence of resource versions. */
export class Store {
  private readonly resources = new Map<string, ResourceStore>();
  private sequence = 1;
  private forgotten = 0;
  private log: CommitLog | undefined;
  private commit: string[] | undefined;

  constructor(private readonly historyLimit: number) {}

  get resourceVersion(): number {
    return this.sequence;
  }

  of(resource: Resource): ResourceStore {
    const id = resourceId(resource);
    let store = this.resources.get(id);
    if (!store) {
      store = new ResourceStore(this.historyLimit, this.forgotten);
      this.resources.set(id, store);
    }
    return store;
  }

  count(): number {
    let sum = 0;
    for (const store of this.resources.values()) sum += store.size;
    return sum;
  }

  /** Begins where another server ended. How it came there is forgotten: only who saw all of it can resume. */
  restore({ sequence, objects }: SavedState): void {
    this.sequence = Math.max(this.sequence, sequence);
    for (const { resource, entry } of objects) this.of(resource).restore(entry);
    this.compactAll();
  }

  /** Every commit from now on goes there first. */
  keepIn(log: CommitLog): void {
    this.log = log;
  }

  /** All there is, as records. */
  *records(): Iterable<string> {
    yield sequenceRecord(this.sequence);
    for (const [id, store] of this.resources) {
      const [group = '', plural = ''] = id.split('/');
      for (const entry of store.values()) yield putRecord({ group, plural }, entry);
    }
  }

  /** What `work` writes is kept as one commit, so that a death in the middle leaves nothing half done. `work` must not wait. */
  atomically<T>(work: () => T): T {
    if (this.commit) return work();
    const records: string[] = [];
    this.commit = records;
    try {
      return work();
    } finally {
      this.commit = undefined;
      if (records.length > 0) this.log?.append(records);
    }
  }

  /** Drops every object of a resource whose definition is gone, telling its watches. */
  forget(resource: Resource): void {
    this.atomically(() => {
      for (const entry of this.of(resource).list()) this.drop(resource, { ...entry, resourceVersion: this.next() });
    });
  }

  /** Nobody can resume from before now, not even for resources that nothing was written to yet. */
  compactAll(): void {
    this.forgotten = this.sequence;
    for (const store of this.resources.values()) store.compact(this.sequence);
  }

  /** Writes `object` under the next resource version. The caller has checked that it may. */
  put(resource: ResourceDefinition, object: SimObject): Entry {
    const store = this.of(resource);
    const previous = store.get(object.metadata.namespace, object.metadata.name);
    const entry = entryOf(resource, object, this.next());
    const type = previous ? 'MODIFIED' : 'ADDED';
    this.atomically(() => {
      if (this.log) this.commit?.push(putRecord(resource, entry));
      store.apply({ type, resourceVersion: entry.resourceVersion, entry, previous });
    });
    return entry;
  }

  /** Removes an object; its last event carries the resource version of the removal. */
  remove(resource: ResourceDefinition, object: SimObject): Entry {
    const entry = entryOf(resource, object, this.next());
    this.atomically(() => this.drop(resource, entry));
    return entry;
  }

  private drop(resource: Resource, entry: Entry): void {
    if (this.log) this.commit?.push(deleteRecord(resource, entry));
    this.of(resource).apply({ type: 'DELETED', resourceVersion: entry.resourceVersion, entry, previous: entry });
  }

  private next(): number {
    this.sequence += 1;
    return this.sequence;
  }
}
