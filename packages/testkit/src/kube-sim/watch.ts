import { type Entry, withKind } from './entry.js';
import type { EventFate } from './faults.js';
import type { Matches } from './selectors.js';
import type { Change, ChangeType, ResourceStore } from './store.js';
import type { ResourceDefinition } from './types.js';

export interface WatchFilter {
  namespace: string | undefined;
  labels: Matches | undefined;
  fields: Matches | undefined;
}

/** Where the lines of a watch go. `write` must not block. */
export interface WatchSink {
  write(lines: string): void;
  end(): void;
}

export interface WatchSettings {
  /** The version the watcher asked for. */
  resource: ResourceDefinition;
  store: ResourceStore;
  filter: WatchFilter;
  sink: WatchSink;
  /** JSON text of an entry in the watcher's version; a promise only when a conversion webhook must be asked. */
  textOf(entry: Entry): string | Promise<string>;
  /** What the faults say about one event. */
  fateOf(type: ChangeType, entry: Entry): EventFate;
  onSent(): void;
}

export const inView = (
  filter: WatchFilter,
  namespace: string,
  labels: Readonly<Record<string, string>>,
  fields: Readonly<Record<string, string>>,
): boolean =>
  (filter.namespace === undefined || filter.namespace === namespace) &&
  (filter.labels === undefined || filter.labels(labels)) &&
  (filter.fields === undefined || filter.fields(fields));

/** One watch: turns changes into lines, in order, several in one write when they come together. */
export class Watch {
  private pending = '';
  private scheduled = false;
  private closed = false;
  private sent: number;
  private tail: Promise<void> | undefined;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly settings: WatchSettings,
    from: number,
    backlog: readonly Change[],
  ) {
    this.sent = from;
    this.unsubscribe = settings.store.subscribe((change) => this.take(change));
    for (const change of backlog) this.take(change);
  }

  /** A watch without a starting point begins with what exists. */
  sendExisting(entries: readonly Entry[]): void {
    for (const entry of entries) if (this.sees(entry)) this.send('ADDED', entry);
  }

  /** `initial` marks the end of what existed when the watch began, for clients that list by watching. */
  bookmark(resourceVersion: number, initial = false): void {
    const annotations = initial ? ',"annotations":{"k8s.io/initial-events-end":"true"}' : '';
    const metadata = `"metadata":{"resourceVersion":"${resourceVersion}","creationTimestamp":null${annotations}}}`;
    const object = withKind(this.settings.resource, metadata);
    this.afterConversions(() => this.queue(`{"type":"BOOKMARK","object":${object}}\n`));
  }

  /** Ends with an ERROR event. */
  fail(status: object): void {
    this.queue(`{"type":"ERROR","object":${JSON.stringify(status)}}\n`);
    this.close();
  }

  close(): void {
    if (this.closed) return;
    this.unsubscribe();
    this.flush();
    this.closed = true;
    this.settings.sink.end();
  }

  private sees(entry: Pick<Entry, 'labels' | 'fields'> & { namespace: string }): boolean {
    return inView(this.settings.filter, entry.namespace, entry.labels, entry.fields);
  }

  private take(change: Change): void {
    const { entry, previous } = change;
    const now = change.type !== 'DELETED' && this.sees(entry);
    const before = previous !== undefined && this.sees({ ...previous, namespace: entry.namespace });
    if (now) this.send(before ? 'MODIFIED' : 'ADDED', entry);
    else if (before) this.send('DELETED', entry);
  }

  private send(type: ChangeType, entry: Entry): void {
    const fate = this.settings.fateOf(type, entry);
    if (fate.drop) return;
    for (let copy = 0; copy < fate.copies; copy += 1) {
      if (fate.delayMs > 0) setTimeout(() => this.line(type, entry), fate.delayMs).unref();
      else this.line(type, entry);
    }
  }

  private line(type: ChangeType, entry: Entry): void {
    const text = this.settings.textOf(entry);
    if (typeof text === 'string') {
      this.afterConversions(() => this.queue(`{"type":"${type}","object":${text}}\n`, entry.resourceVersion));
      return;
    }
    this.tail = (this.tail ?? Promise.resolve())
      .then(() => text)
      .then((converted) => this.queue(`{"type":"${type}","object":${converted}}\n`, entry.resourceVersion))
      .catch(() => this.close());
  }

  /** Keeps the order behind events that still wait for a conversion. */
  private afterConversions(action: () => void): void {
    if (this.tail === undefined) action();
    else this.tail = this.tail.then(action);
  }

  private queue(line: string, resourceVersion = this.sent): void {
    if (this.closed) return;
    this.sent = resourceVersion;
    this.pending += line;
    this.settings.onSent();
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.scheduled = false;
    if (this.closed || this.pending === '') return;
    const lines = this.pending;
    this.pending = '';
    this.settings.sink.write(lines);
  }
}
