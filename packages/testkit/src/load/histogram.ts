const GROWTH = Math.log(1.02);
const SMALLEST_MS = 0.01;

/** Latencies in buckets that grow by 2 %: any quantile within 2 %, in constant memory. */
export class Histogram {
  private readonly counts = new Uint32Array(1_200);
  private total = 0;
  private largest = 0;

  record(ms: number): void {
    const bucket = Math.floor(Math.log(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) / GROWTH);
    const index = Math.min(bucket, this.counts.length - 1);
    this.counts[index] = this.counts[index]! + 1;
    this.total += 1;
    if (ms > this.largest) this.largest = ms;
  }

  get max(): number {
    return this.largest;
  }

  /** The latency that the share (0 to 1) of all requests did not exceed; 0 when there were none. */
  quantile(share: number): number {
    let left = Math.ceil(share * this.total);
    if (left === 0) return 0;
    for (let index = 0; index < this.counts.length; index += 1) {
      left -= this.counts[index]!;
      if (left <= 0) return Math.min(SMALLEST_MS * Math.exp((index + 1) * GROWTH), this.largest);
    }
    return this.largest;
  }
}
