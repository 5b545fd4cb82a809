import type { KubeObject, ListOptions, WatchEvent, WatchOptions } from '../api.js';
import { backoffMs } from '../backoff.js';
import { type Clock, delay, type Random, systemClock } from '../clock.js';
import { isExpired, KubeError } from '../error.js';
import { listPages } from './list-pages.js';
import type { ReflectorEvent, ReflectorOptions } from './reflector-options.js';
import { objectKey, Store } from './store.js';
import { Watchdog } from './watchdog.js';

const DEFAULTS = {
  pageSize: 500,
  resyncMs: 0,
  watchSeconds: { min: 240, max: 360 },
  silenceMs: 150_000,
  backoff: { baseMs: 200, maxMs: 30_000 },
};

/** A watch that ends sooner than this counts as failed, or a server that closes at once would be asked without a pause. */
const SHORT_WATCH_MS = 1_000;

/** After so many failed watches in a row the version itself is suspect (an API server restored from a backup): list again. */
const FAILED_WATCHES_BEFORE_LIST = 5;

type RelistReason = (ReflectorEvent & { type: 'relist' })['reason'];

/**
 * Keeps a store equal to what an API server holds of one kind: list, then watch from there, for ever.
 *
 * Guarantees: a cut watch goes on from the last resourceVersion seen; a version that is too old leads to a new list, whose
 * differences (deletions too) reach the subscribers as ordinary changes; a watch that neither speaks nor ends is given up;
 * no answer of the server ends the loop. Between a cut and the next event the store may be behind, never wrong in order.
 */
export class Reflector<T = KubeObject> {
  readonly store: Store<T>;
  readonly #options: ReflectorOptions<T> & typeof DEFAULTS;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #stop = new AbortController();
  /** resourceVersion by key: tells a relist which objects did not change. */
  readonly #versions = new Map<string, string>();
  readonly #waiting = new Set<() => void>();
  #hasSynced = false;
  #lastVersion: string | undefined;
  #listedAt = 0;
  #failures = 0;
  #loop: Promise<void> | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.#options = { ...DEFAULTS, ...options };
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.store = options.store ?? new Store<T>();
  }

  /** True once the first list is in the store. Stays true. */
  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** The version up to which the store is known to be right. */
  get resourceVersion(): string | undefined {
    return this.#lastVersion;
  }

  /** Begins; calling it again does nothing. */
  start(): void {
    this.#loop ??= this.#run();
  }

  /** Resolves at the first full list, or when the reflector is stopped before. */
  async synced(): Promise<void> {
    if (this.#hasSynced || this.#stop.signal.aborted) return;
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Ends the loop and its open watch; the store keeps what it has. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let reason: RelistReason | undefined = 'first';
    while (!this.#stop.signal.aborted) {
      try {
        if (reason) await this.#list(reason);
        reason = undefined;
        await this.#watch();
        if (this.#resyncDue()) reason = 'resync';
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        reason = await this.#recover(error, reason);
      }
    }
  }

  /** Waits as long as it should and says whether the next round starts with a list. */
  async #recover(error: unknown, listing: RelistReason | undefined): Promise<RelistReason | undefined> {
    if (isExpired(error) && !listing) return 'expired';
    const asked = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
    const backoff = backoffMs(this.#failures, { ...this.#options.backoff, jitter: 0.5 }, this.#random);
    const retryInMs = Math.max(asked, backoff);
    this.#failures += 1;
    this.#emit({ type: 'failed', during: listing ? 'list' : 'watch', error, retryInMs });
    await delay(this.#clock, retryInMs, this.#stop.signal);
    return listing ?? (this.#failures >= FAILED_WATCHES_BEFORE_LIST ? 'failed' : undefined);
  }

  async #list(reason: RelistReason): Promise<void> {
    this.#emit({ type: 'relist', reason });
    const seen = new Set<string>();
    const version = await listPages(
      this.#options.api,
      this.#options.kind,
      this.#scope(),
      this.#options.pageSize,
      (page) => {
        for (const object of page) seen.add(this.#keep(object));
      },
      () => seen.clear(),
    );
    for (const key of [...this.#versions.keys()]) if (!seen.has(key)) this.#remove(key);
    this.#lastVersion = version;
    this.#listedAt = this.#clock.now().getTime();
    this.#failures = 0;
    this.#emit({ type: 'listed' });
    if (!this.#hasSynced) this.#emit({ type: 'synced', objects: this.store.size });
    this.#hasSynced = true;
    this.#wake();
  }

  async #watch(): Promise<void> {
    // An abort that came during the list is not heard of again.
    if (this.#stop.signal.aborted) return;
    const startedAt = this.#clock.now().getTime();
    const attempt = new AbortController();
    const cut = () => attempt.abort();
    this.#stop.signal.addEventListener('abort', cut, { once: true });
    const watchdog = new Watchdog(this.#clock, this.#options.silenceMs, () => {
      this.#emit({ type: 'watchSilent' });
      cut();
    });
    try {
      for await (const event of this.#options.api.watch(this.#options.kind, this.#watchOptions(), attempt.signal)) {
        watchdog.feed();
        this.#apply(event);
      }
    } catch (error) {
      // A watch that was cut on purpose is an end, not a failure.
      if (!attempt.signal.aborted) throw error;
    } finally {
      watchdog.stop();
      this.#stop.signal.removeEventListener('abort', cut);
    }
    this.#emit({ type: 'watchEnded' });
    await this.#pauseAfterShortWatch(this.#clock.now().getTime() - startedAt);
  }

  async #pauseAfterShortWatch(livedMs: number): Promise<void> {
    if (livedMs >= SHORT_WATCH_MS) {
      this.#failures = 0;
      return;
    }
    const ms = backoffMs(this.#failures, { ...this.#options.backoff, jitter: 0.5 }, this.#random);
    this.#failures += 1;
    await delay(this.#clock, ms, this.#stop.signal);
  }

  #watchOptions(): WatchOptions {
    const { min, max } = this.#options.watchSeconds;
    return {
      ...this.#scope(),
      timeoutSeconds: Math.round(min + this.#random() * (max - min)),
      ...(this.#lastVersion ? { resourceVersion: this.#lastVersion } : {}),
    };
  }

  #apply(event: WatchEvent<KubeObject>): void {
    const version = event.object?.metadata?.resourceVersion;
    if (event.type === 'DELETED') this.#remove(objectKey(event.object.metadata));
    else if (event.type !== 'BOOKMARK') this.#keep(event.object);
    if (version) this.#lastVersion = version;
  }

  #keep(object: KubeObject): string {
    const key = objectKey(object.metadata);
    const version = object.metadata.resourceVersion;
    // Relists and repeated events bring objects that did not change; subscribers must not pay for those.
    if (version !== undefined && this.#versions.get(key) === version) return key;
    const kept = this.#transform(object);
    if (kept === undefined) {
      this.#remove(key);
      return key;
    }
    this.#versions.set(key, version ?? '');
    this.store.set(key, kept);
    return key;
  }

  #remove(key: string): void {
    this.#versions.delete(key);
    this.store.delete(key);
  }

  #transform(object: KubeObject): T | undefined {
    const { transform } = this.#options;
    if (!transform) return object as unknown as T;
    try {
      return transform(object);
    } catch (error) {
      this.#emit({ type: 'dropped', error });
      return undefined;
    }
  }

  #scope(): Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'> {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
  }

  #resyncDue(): boolean {
    const { resyncMs } = this.#options;
    return resyncMs > 0 && this.#clock.now().getTime() - this.#listedAt >= resyncMs;
  }

  #emit(event: ReflectorEvent): void {
    this.#options.onEvent?.(event);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
