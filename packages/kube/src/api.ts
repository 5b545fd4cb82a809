/** The port every other room sees: an API server and any resource of it. `client.ts` implements it over the network. */

/** Names one resource of an API server, e.g. `{group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true}`. */
export interface ResourceKind {
  group: string;
  version: string;
  plural: string;
  kind: string;
  namespaced: boolean;
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name?: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
}

export interface ObjectRef {
  namespace?: string;
  name: string;
}

export interface GetOptions {
  /**
   * `0`: whatever the API server has in memory, which spares it a read of its store and may be older than what was written since
   * (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions). Default: the newest.
   */
  resourceVersion?: string;
}

export interface ListOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
}

export interface ListResult<T> {
  items: T[];
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
}

export interface WriteOptions {
  subresource?: string;
  fieldManager?: string;
  force?: boolean;
  dryRun?: boolean;
  /** `Ignore` spares the API server the look for unknown and repeated fields; its default, `Warn`, answers with warnings. */
  fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  /**
   * `metadata`: the answer has the `metadata` of the object and nothing else of it, which spares the API server the rest
   * (https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches). One that cannot do so answers with the
   * whole object. Default: `object`.
   */
  answer?: 'object' | 'metadata';
  /** Not sent after this moment, however long the rate limit or the API server put it off: rejects with `TooLate` then. */
  sendBy?: Date;
}

/** `json` is RFC 6902 (an array), the others are objects. */
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  dryRun?: boolean;
}

export interface WatchOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  resourceVersion?: string;
  timeoutSeconds?: number;
}

export interface WatchEvent<T> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: T;
}

/**
 * One API server. Every method rejects with `KubeError`: `status` is the HTTP status (0 when no answer came),
 * `reason` the API server's own (`NotFound`, `Conflict`, ...), `retry` the rule for trying again.
 */
export interface KubeApi {
  get<T extends KubeObject>(kind: ResourceKind, ref: ObjectRef, options?: GetOptions): Promise<T>;
  list<T extends KubeObject>(kind: ResourceKind, options?: ListOptions): Promise<ListResult<T>>;
  create<T extends KubeObject>(kind: ResourceKind, object: T, options?: WriteOptions): Promise<T>;
  replace<T extends KubeObject>(kind: ResourceKind, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(
    kind: ResourceKind,
    ref: ObjectRef,
    patch: unknown,
    options: WriteOptions & { type: PatchType },
  ): Promise<T>;
  delete(kind: ResourceKind, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  /** Yields until the server ends the stream, the signal aborts, or an ERROR event rejects it (410: `KubeError` status 410). */
  watch<T extends KubeObject>(
    kind: ResourceKind,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
}
