import { badRequest, tooOld } from './api-error.js';
import type { Versions } from './crd/versions.js';
import type { Entry } from './entry.js';
import type { EventFate } from './faults.js';
import { isTrue, type ResourceRequest } from './http/request.js';
import { filterOf, type Reads } from './reads.js';
import type { ChangeType, Store } from './store.js';
import { Watch, type WatchSink } from './watch.js';

export interface WatchHooks {
  fateOf(request: ResourceRequest, userAgent: string, type: ChangeType, entry: Entry): EventFate;
  onSent(): void;
}

const DEFAULT_TIMEOUT_SECONDS = 1800;

interface OpenWatch {
  watch: Watch;
  plural: string;
  wantsBookmarks: boolean;
  cut(): void;
}

/** Opens, times out, bookmarks and cuts watches. */
export class Watches {
  private readonly open = new Set<OpenWatch>();
  private readonly bookmarks: NodeJS.Timeout;

  constructor(
    private readonly store: Store,
    private readonly versions: Versions,
    private readonly reads: Reads,
    private readonly hooks: WatchHooks,
    bookmarkSeconds: number,
  ) {
    this.bookmarks = setInterval(() => this.bookmarkAll(), bookmarkSeconds * 1000);
    this.bookmarks.unref();
  }

  get count(): number {
    return this.open.size;
  }

  /** Starts one; the returned function ends it when the client has gone. `cut` breaks the connection as a fault would. */
  start(request: ResourceRequest, userAgent: string, table: boolean, sink: WatchSink, cut: () => void): () => void {
    const { resource, query } = request;
    const store = this.store.of(resource);
    const lists = isTrue(query.get('sendInitialEvents'));
    const asked = lists ? 0 : resumePoint(query.get('resourceVersion'));
    const filter = filterOf(request);
    const backlog = asked === 0 ? [] : store.changesSince(asked);
    const watch = new Watch(
      {
        resource,
        store,
        filter,
        sink,
        textOf: this.textOf(request, table),
        fateOf: (type, entry) => this.hooks.fateOf(request, userAgent, type, entry),
        onSent: this.hooks.onSent,
      },
      asked,
      backlog ?? [],
    );
    if (backlog === undefined) {
      watch.fail(tooOld(asked, store.oldestResumable).toStatus());
      return () => undefined;
    }
    if (asked === 0) watch.sendExisting(store.list(request.namespace));
    if (lists) watch.bookmark(this.store.resourceVersion, true);
    return this.track(
      { watch, plural: resource.plural, wantsBookmarks: isTrue(query.get('allowWatchBookmarks')), cut },
      timeoutOf(query),
    );
  }

  cut(plural: string | undefined): number {
    const struck = [...this.open].filter((one) => plural === undefined || one.plural === plural);
    for (const one of struck) one.cut();
    return struck.length;
  }

  closeAll(): void {
    clearInterval(this.bookmarks);
    for (const one of this.open) one.watch.close();
    this.open.clear();
  }

  private textOf(
    { resource, ...request }: ResourceRequest,
    table: boolean,
  ): (entry: Entry) => string | Promise<string> {
    if (!table) return (entry) => this.versions.textOf(resource, entry);
    let first = true;
    return async (entry) => {
      const withDefinitions = first;
      first = false;
      return this.reads.tableRow(
        { resource, ...request },
        await this.versions.textOf(resource, entry),
        withDefinitions,
      );
    };
  }

  private track(one: OpenWatch, timeoutSeconds: number): () => void {
    this.open.add(one);
    const timer = setTimeout(() => {
      if (one.wantsBookmarks) one.watch.bookmark(this.store.resourceVersion);
      end();
    }, timeoutSeconds * 1000);
    timer.unref();
    const end = (): void => {
      clearTimeout(timer);
      this.open.delete(one);
      one.watch.close();
    };
    return end;
  }

  private bookmarkAll(): void {
    for (const one of this.open) if (one.wantsBookmarks) one.watch.bookmark(this.store.resourceVersion);
  }
}

function resumePoint(text: string | null): number {
  const version = Number(text ?? 0);
  if (Number.isInteger(version) && version >= 0) return version;
  throw badRequest(`invalid resource version "${text}"`);
}

const timeoutOf = (query: URLSearchParams): number =>
  Number(query.get('timeoutSeconds') ?? 0) || DEFAULT_TIMEOUT_SECONDS;
