/** Buckets per doubling: a quantile is at most 3 % too high. */
const PER_DOUBLING = 32;
const LOWEST_MS = 0.01;
const SIZE = 32 * PER_DOUBLING;

/** Counts latencies in buckets whose width grows with their value; constant memory, exact maximum. */
export class Histogram {
  readonly #counts = new Uint32Array(SIZE);
  #count = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get max(): number {
    return this.#maxMs;
  }

  record(ms: number): void {
    const bucket = ms <= LOWEST_MS ? 0 : Math.floor(Math.log2(ms / LOWEST_MS) * PER_DOUBLING) + 1;
    const at = Math.min(bucket, SIZE - 1);
    this.#counts[at] = this.#counts[at]! + 1;
    this.#count += 1;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** The value that the given share of all values does not exceed, to the width of a bucket; 0 without values. */
  quantile(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (let bucket = 0; bucket < SIZE; bucket++) {
      seen += this.#counts[bucket]!;
      if (this.#count > 0 && seen >= wanted) {
        return Math.min(LOWEST_MS * 2 ** (bucket / PER_DOUBLING), this.#maxMs);
      }
    }
    return this.#maxMs;
  }
}
