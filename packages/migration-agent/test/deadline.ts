/** More than this between two looks, and the process did not run in between: the machine stood still, or stopped it. */
const MOST_AT_ONCE_MS = 1_000;

/** Passes only while this process runs and looks at it now and then. What it waits for was standing still at the same time. */
export class Deadline {
  #leftMs: number;
  #lookedAt = performance.now();

  constructor(withinMs: number) {
    this.#leftMs = withinMs;
  }

  get over(): boolean {
    const now = performance.now();
    this.#leftMs -= Math.min(now - this.#lookedAt, MOST_AT_ONCE_MS);
    this.#lookedAt = now;
    return this.#leftMs <= 0;
  }
}
