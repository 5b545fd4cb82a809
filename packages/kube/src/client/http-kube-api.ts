import type { IncomingMessage } from 'node:http';
import type {
  DeleteOptions,
  GetOptions,
  KubeApi,
  KubeObject,
  ListOptions,
  ListResult,
  ObjectRef,
  PatchType,
  ResourceKind,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from '../api.js';
import { type Clock, systemClock } from '../clock.js';
import type { KubeConnection } from '../config/connection.js';
import { errorFromWatchEvent } from '../error.js';
import { type Call, Caller, type CallReport } from './caller.js';
import {
  ACCEPT,
  collectionPath,
  deleteBody,
  getQuery,
  listQuery,
  objectPath,
  PATCH_CONTENT_TYPE,
  watchQuery,
  writeQuery,
} from './paths.js';
import { RateLimiter } from './rate-limiter.js';
import { connectionError, Transport } from './transport.js';
import { lines, parseWatchLine } from './watch-lines.js';

export interface HttpKubeApiOptions {
  connection: KubeConnection;
  /** Default: 50 calls per second, 100 at once. A limiter may be shared by several clients. */
  limiter?: RateLimiter;
  /** Until the whole answer of a call is there, or the headers of a watch. Default 30 s. */
  timeoutMs?: number;
  /** Connections at once, watches not counted. Default 64. */
  maxSockets?: number;
  userAgent?: string;
  /** How often a call that the API server put off (429) is made again before the caller hears of it. Default 5. */
  maxDeferrals?: number;
  onCall?: (report: CallReport) => void;
  clock?: Clock;
}

/** `KubeApi` over HTTP/1.1 with kept-alive connections. */
export class HttpKubeApi implements KubeApi {
  readonly #caller: Caller;
  readonly #share: string;

  constructor(options: HttpKubeApiOptions | { caller: Caller; share: string }) {
    this.#caller = 'caller' in options ? options.caller : newCaller(options);
    this.#share = 'caller' in options ? options.share : '';
  }

  /** The same client with another time-out, e.g. a short one for a lease. */
  withTimeout(timeoutMs: number): HttpKubeApi {
    return new HttpKubeApi({ caller: this.#caller.withTimeout(timeoutMs), share: this.#share });
  }

  /** The same client, whose calls wait for the rate limit in a queue of their own: queues take turns. */
  fairShare(key: string): HttpKubeApi {
    return new HttpKubeApi({ caller: this.#caller, share: key });
  }

  /** Closes every connection. */
  close(): void {
    this.#caller.close();
  }

  get<T extends KubeObject>(kind: ResourceKind, ref: ObjectRef, options: GetOptions = {}): Promise<T> {
    const path = objectPath(kind, ref) + getQuery(options);
    return this.#caller.json({ verb: 'get', method: 'GET', kind, path }, this.#share);
  }

  async list<T extends KubeObject>(kind: ResourceKind, options: ListOptions = {}): Promise<ListResult<T>> {
    const path = collectionPath(kind, options.namespace) + listQuery(options);
    const list = await this.#caller.json<ListResult<T> & { items: T[] | null }>(
      { verb: 'list', method: 'GET', kind, path },
      this.#share,
    );
    const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
    // Items of a list come without their type, unlike every other object; they are made alike.
    for (const item of list.items ?? []) {
      item.apiVersion ??= apiVersion;
      item.kind ??= kind.kind;
    }
    return { items: list.items ?? [], metadata: list.metadata ?? {} };
  }

  create<T extends KubeObject>(kind: ResourceKind, object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name } = object.metadata;
    const { subresource } = options;
    const path = subresource
      ? objectPath(kind, { ...(namespace ? { namespace } : {}), name: name ?? '' }, subresource)
      : collectionPath(kind, namespace);
    return this.#caller.json({ ...write('create', kind, path, options), body: object }, this.#share);
  }

  replace<T extends KubeObject>(kind: ResourceKind, object: T, options: WriteOptions = {}): Promise<T> {
    const { namespace, name } = object.metadata;
    const path = objectPath(kind, { ...(namespace ? { namespace } : {}), name: name ?? '' }, options.subresource);
    return this.#caller.json({ ...write('replace', kind, path, options), body: object }, this.#share);
  }

  patch<T extends KubeObject>(
    kind: ResourceKind,
    ref: ObjectRef,
    patch: unknown,
    options: WriteOptions & { type: PatchType },
  ): Promise<T> {
    const contentType = PATCH_CONTENT_TYPE[options.type];
    const call = write('patch', kind, objectPath(kind, ref, options.subresource), options);
    return this.#caller.json({ ...call, body: patch, contentType }, this.#share);
  }

  async delete(kind: ResourceKind, ref: ObjectRef, options: DeleteOptions = {}): Promise<void> {
    const path = objectPath(kind, ref);
    await this.#caller.answer({ verb: 'delete', method: 'DELETE', kind, path, body: deleteBody(options) }, this.#share);
  }

  async *watch<T extends KubeObject>(
    kind: ResourceKind,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>> {
    const path = collectionPath(kind, options.namespace) + watchQuery(options);
    let stream: IncomingMessage | undefined;
    try {
      stream = await this.#caller.openWatch(kind, path, this.#share, signal);
      for await (const line of lines(stream)) {
        const event = parseWatchLine(line);
        if (event.type === 'ERROR') throw errorFromWatchEvent(event.object);
        yield event as WatchEvent<T>;
      }
    } catch (error) {
      if (!signal.aborted) throw connectionError({ method: 'GET', path }, error);
    } finally {
      stream?.destroy();
    }
  }
}

const METHOD = { create: 'POST', replace: 'PUT', patch: 'PATCH' } as const;

/** A write but for its body. */
function write(verb: keyof typeof METHOD, kind: ResourceKind, path: string, options: WriteOptions): Call {
  const { subresource, sendBy, answer = 'object' } = options;
  const query = writeQuery(options);
  return { verb, method: METHOD[verb], kind, subresource, path: path + query, accept: ACCEPT[answer], sendBy };
}

function newCaller(options: HttpKubeApiOptions): Caller {
  const clock = options.clock ?? systemClock;
  const { userAgent = 'sidestep', maxSockets = 64, timeoutMs = 30_000, maxDeferrals = 5 } = options;
  return new Caller({
    transport: new Transport(options.connection, { userAgent, maxSockets, clock }),
    limiter: options.limiter ?? new RateLimiter({ qps: 50, burst: 100, clock }),
    clock,
    timeoutMs,
    maxDeferrals,
    onCall: options.onCall,
  });
}
