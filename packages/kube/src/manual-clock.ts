import type { Clock } from './clock.js';

/** A clock that moves only when told to, for tests of what waits. */
export class ManualClock implements Clock {
  #now: number;
  #serial = 0;
  readonly #timers = new Map<number, { due: number; run: () => void }>();

  constructor(start = new Date('2026-01-01T00:00:00Z')) {
    this.#now = start.getTime();
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): Date {
    return new Date(this.#now);
  }

  after(ms: number, run: () => void): () => void {
    this.#serial += 1;
    const id = this.#serial;
    this.#timers.set(id, { due: this.#now + Math.max(0, ms), run });
    return () => this.#timers.delete(id);
  }

  /** Moves on by `ms`, running what becomes due in its order, and after each lets everything settle that can. */
  async advance(ms: number): Promise<void> {
    const target = this.#now + ms;
    await settle();
    for (let next = this.#next(target); next !== undefined; next = this.#next(target)) {
      const timer = this.#timers.get(next) as { due: number; run: () => void };
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, timer.due);
      timer.run();
      await settle();
    }
    this.#now = target;
  }

  #next(target: number): number | undefined {
    let found: number | undefined;
    let earliest = target;
    for (const [id, { due }] of this.#timers) {
      if (due > earliest || (found !== undefined && due === earliest)) continue;
      found = id;
      earliest = due;
    }
    return found;
  }
}

/** Promise callbacks run before the next turn of the event loop. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
