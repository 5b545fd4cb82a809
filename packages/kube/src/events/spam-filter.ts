import type { Clock } from '../clock.js';

export interface SpamFilterOptions {
  /** Events about one object at once. 25 as in client-go. */
  burst: number;
  /** After that, one per this long. 5 minutes as in client-go. */
  refillMs: number;
  /** Objects remembered; the longest unused are forgotten first. */
  capacity: number;
}

/** A small map that forgets what was used longest ago. */
export class RecentMap<V> {
  readonly #entries = new Map<string, V>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity) return;
      this.#entries.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

/** Allows a burst of events about one object and then a trickle, so that a fault that repeats does not flood the API server. */
export class SpamFilter {
  readonly #options: SpamFilterOptions;
  readonly #clock: Clock;
  readonly #buckets: RecentMap<{ tokens: number; countedAt: number }>;

  constructor(clock: Clock, options: SpamFilterOptions) {
    this.#options = options;
    this.#clock = clock;
    this.#buckets = new RecentMap(options.capacity);
  }

  allows(object: string): boolean {
    const now = this.#clock.now().getTime();
    const { burst, refillMs } = this.#options;
    const bucket = this.#buckets.get(object) ?? { tokens: burst, countedAt: now };
    const tokens = Math.min(burst, bucket.tokens + (now - bucket.countedAt) / refillMs);
    const allowed = tokens >= 1;
    this.#buckets.set(object, { tokens: allowed ? tokens - 1 : tokens, countedAt: now });
    return allowed;
  }
}
