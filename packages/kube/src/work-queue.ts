import { backoffMs } from './backoff.js';
import { type Clock, delay, type Random, systemClock } from './clock.js';

export interface WorkQueueOptions {
  clock?: Clock;
  random?: Random;
  /** Delay after the first failure of a key; doubles with each further one. */
  baseDelayMs?: number;
  maxDelayMs?: number;
  /**
   * From one take of a key to the next, at least; default 0. The first take after a rest is at once: only a key that changes all
   * the time is looked at for many changes together.
   */
  minIntervalMs?: number;
}

/**
 * Keys to look at, each at most once at a time: a key that is added while it is being worked on comes back when it is done.
 * The shape of client-go's rate limited work queue.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #backoff: { baseMs: number; maxMs: number; jitter: number };
  /** Insertion order is queue order. */
  readonly #ready = new Set<string>();
  readonly #processing = new Set<string>();
  readonly #again = new Set<string>();
  readonly #later = new Map<string, { due: number; cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #minIntervalMs: number;
  /** Keys taken less than `minIntervalMs` ago. */
  readonly #resting = new Map<string, { wanted: boolean; cancel: () => void }>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #idle = new Set<() => void>();
  #open = true;

  constructor(options: WorkQueueOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#minIntervalMs = options.minIntervalMs ?? 0;
    this.#backoff = { baseMs: options.baseDelayMs ?? 20, maxMs: options.maxDelayMs ?? 60_000, jitter: 0.2 };
  }

  /** Keys waiting to be taken now. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Keys that were taken and are not done. */
  get processing(): number {
    return this.#processing.size;
  }

  /** Keys that wait for their time. */
  get delayed(): number {
    return this.#later.size;
  }

  /** Has the key looked at as soon as possible. */
  add(key: string): void {
    if (!this.#open) return;
    this.#cancelLater(key);
    if (this.#processing.has(key)) {
      this.#again.add(key);
      return;
    }
    const resting = this.#resting.get(key);
    if (resting) {
      resting.wanted = true;
      return;
    }
    const taker = this.#ready.size === 0 ? this.#takers.shift() : undefined;
    if (taker) {
      this.#begin(key);
      taker(key);
    } else {
      this.#ready.add(key);
    }
  }

  /** Has the key looked at in `ms`; the earliest of several wishes counts. */
  addAfter(key: string, ms: number): void {
    if (!this.#open) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const due = this.#clock.now().getTime() + ms;
    const planned = this.#later.get(key);
    if (this.#ready.has(key) || (planned && planned.due <= due)) return;
    planned?.cancel();
    this.#later.set(key, { due, cancel: this.#clock.after(ms, () => this.add(key)) });
  }

  /** Has the key looked at again after its back-off, which grows until `forget`. Returns the delay in milliseconds. */
  addRateLimited(key: string): number {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const ms = backoffMs(failures, this.#backoff, this.#random);
    this.addAfter(key, ms);
    return ms;
  }

  /** The key succeeded: its back-off starts from the beginning. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key; `undefined` once the queue is shut down. Every key taken must be given back with `done`. */
  take(): Promise<string | undefined> {
    if (!this.#open) return Promise.resolve(undefined);
    for (const key of this.#ready) {
      this.#ready.delete(key);
      this.#begin(key);
      return Promise.resolve(key);
    }
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  done(key: string): void {
    this.#processing.delete(key);
    if (this.#again.delete(key)) this.add(key);
    if (this.#processing.size === 0) {
      for (const resolve of this.#idle) resolve();
      this.#idle.clear();
    }
  }

  /**
   * Works on keys with that many at once until shutdown. A handler that resolves forgets the key's failures, or has it come
   * back after the number of milliseconds it returned; one that rejects has it come back after its back-off.
   */
  async run(
    workers: number,
    handle: (key: string) => Promise<number | undefined>,
    onError: (key: string, error: unknown, retryInMs: number) => void = () => undefined,
  ): Promise<void> {
    await Promise.all(Array.from({ length: workers }, () => this.#work(handle, onError)));
  }

  /** Takes nothing new and waits for what is being worked on, at most `timeoutMs`. Resolves to whether all of it ended. */
  async shutdown(timeoutMs = 10_000): Promise<boolean> {
    this.#open = false;
    this.#ready.clear();
    this.#again.clear();
    for (const { cancel } of this.#later.values()) cancel();
    this.#later.clear();
    for (const { cancel } of this.#resting.values()) cancel();
    this.#resting.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
    if (this.#processing.size === 0) return true;
    const giveUp = new AbortController();
    const idle = new Promise<void>((resolve) => this.#idle.add(resolve));
    await Promise.race([idle, delay(this.#clock, timeoutMs, giveUp.signal)]);
    giveUp.abort();
    return this.#processing.size === 0;
  }

  async #work(
    handle: (key: string) => Promise<number | undefined>,
    onError: (key: string, error: unknown, retryInMs: number) => void,
  ): Promise<void> {
    for (let key = await this.take(); key !== undefined; key = await this.take()) {
      try {
        const againInMs = await handle(key);
        this.forget(key);
        if (againInMs !== undefined) this.addAfter(key, againInMs);
      } catch (error) {
        onError(key, error, this.addRateLimited(key));
      } finally {
        this.done(key);
      }
    }
  }

  #begin(key: string): void {
    this.#processing.add(key);
    if (this.#minIntervalMs === 0) return;
    const cancel = this.#clock.after(this.#minIntervalMs, () => {
      const wanted = this.#resting.get(key)?.wanted;
      this.#resting.delete(key);
      if (wanted) this.add(key);
    });
    this.#resting.set(key, { wanted: false, cancel });
  }

  #cancelLater(key: string): void {
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
  }
}
