import type { KubeApi, KubeObject, ResourceKind } from '../api.js';
import type { Clock, Random } from '../clock.js';
import type { Store } from './store.js';

/** What a reflector met; each kind is worth a counter. */
export type ReflectorEvent =
  | { type: 'synced'; objects: number }
  /** Until `listed`, changes are differences between two lists: versions in between are not seen, and objects come in no order. */
  | { type: 'relist'; reason: 'first' | 'expired' | 'resync' | 'failed' }
  | { type: 'listed' }
  | { type: 'watchEnded' }
  | { type: 'watchSilent' }
  | { type: 'failed'; during: 'list' | 'watch'; error: unknown; retryInMs: number }
  | { type: 'dropped'; error: unknown };

export interface ReflectorOptions<T> {
  api: KubeApi;
  kind: ResourceKind;
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** What is kept of each object; `undefined` keeps it out. An exception drops the object with a `dropped` event. */
  transform?: (object: KubeObject) => T | undefined;
  /** Written by this reflector alone. */
  store?: Store<T>;
  /** Objects per page of a list; 500 as in client-go. */
  pageSize?: number;
  /** A full list is made at least this often, as a guard against events lost without a trace. 0, the default, never. */
  resyncMs?: number;
  onEvent?: (event: ReflectorEvent) => void;
  clock?: Clock;
  random?: Random;
  /** Shortest and longest time of one watch, in seconds; the value is drawn so that watches do not end together. */
  watchSeconds?: { min: number; max: number };
  /**
   * A watch that brings nothing, not even a bookmark, for this long is opened anew: its connection may be dead without either
   * side having been told. API servers send a bookmark about once a minute.
   */
  silenceMs?: number;
  backoff?: { baseMs: number; maxMs: number };
}
