import { type Clock, systemClock } from '../clock.js';
import { KubeError } from '../error.js';

interface Waiter {
  resolve: () => void;
  reject: (error: KubeError) => void;
}

export interface RateLimiterOptions {
  /** Calls per second in the long run. */
  qps: number;
  /** Calls that may be made at once after a rest. */
  burst: number;
  clock?: Clock;
}

/**
 * A token bucket in front of an API server. Who waits, waits in a queue per key, and the queues take turns: ten thousand
 * calls for one key do not hold up the first call for another.
 */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #qps: number;
  readonly #burst: number;
  readonly #queues = new Map<string, Waiter[]>();
  #tokens: number;
  #countedAt: number;
  #pausedUntil = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(options: RateLimiterOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#qps = options.qps;
    this.#burst = Math.max(1, options.burst);
    this.#tokens = this.#burst;
    this.#countedAt = this.#clock.now().getTime();
  }

  /** Calls that wait at the moment. */
  get waiting(): number {
    let count = 0;
    for (const queue of this.#queues.values()) count += queue.length;
    return count;
  }

  /** Resolves when the call may be made; rejects with `KubeError` (`Aborted`) when the signal aborts before. */
  acquire(key = '', signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(aborted());
    this.#refill();
    if (this.#queues.size === 0 && this.#tokens >= 1 && !this.#paused()) {
      this.#tokens -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => this.#leave(key, waiter);
      const waiter: Waiter = {
        // A signal may outlive thousands of calls.
        resolve: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
        reject,
      };
      const queue = this.#queues.get(key);
      if (queue) queue.push(waiter);
      else this.#queues.set(key, [waiter]);
      signal?.addEventListener('abort', leave, { once: true });
      this.#schedule();
    });
  }

  /** Nobody starts a call for `ms`: the API server asked for it (429 with Retry-After). */
  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now().getTime() + ms);
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#schedule();
  }

  #paused(): boolean {
    return this.#clock.now().getTime() < this.#pausedUntil;
  }

  #refill(): void {
    const now = this.#clock.now().getTime();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#countedAt) / 1000) * this.#qps);
    this.#countedAt = now;
  }

  #schedule(): void {
    if (this.#cancelTimer || this.#queues.size === 0) return;
    const untilToken = this.#tokens >= 1 ? 0 : ((1 - this.#tokens) / this.#qps) * 1000;
    const untilUnpaused = this.#pausedUntil - this.#clock.now().getTime();
    this.#cancelTimer = this.#clock.after(Math.ceil(Math.max(untilToken, untilUnpaused, 0)), () => {
      this.#cancelTimer = undefined;
      this.#drain();
    });
  }

  #drain(): void {
    this.#refill();
    while (this.#tokens >= 1 && !this.#paused()) {
      const waiter = this.#next();
      if (!waiter) break;
      this.#tokens -= 1;
      waiter.resolve();
    }
    this.#schedule();
  }

  /** The first of the queue whose turn it is; that queue goes to the end of the round. */
  #next(): Waiter | undefined {
    for (const [key, queue] of this.#queues) {
      const waiter = queue.shift();
      this.#queues.delete(key);
      if (queue.length > 0) this.#queues.set(key, queue);
      if (waiter) return waiter;
    }
    return undefined;
  }

  #leave(key: string, waiter: Waiter): void {
    const queue = this.#queues.get(key);
    const at = queue?.indexOf(waiter) ?? -1;
    if (!queue || at < 0) return;
    queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(key);
    waiter.reject(aborted());
  }
}

const aborted = () =>
  new KubeError({ status: 0, reason: 'Aborted', message: 'given up while waiting for the rate limit' });
