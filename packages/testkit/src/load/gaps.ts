interface Seen {
  lastMs: number;
  longestMs: number;
}

/** The longest time between two served requests, per target and over all of them. */
export class Gaps {
  readonly #targets = new Map<string, Seen>();
  readonly #overall: Seen;

  constructor(startMs: number) {
    this.#overall = { lastMs: startMs, longestMs: 0 };
  }

  /** From now on the target is expected to serve. */
  begin(target: string, nowMs: number): void {
    if (!this.#targets.has(target)) this.#targets.set(target, { lastMs: nowMs, longestMs: 0 });
  }

  /** From now on it is not; its longest gap stays. */
  end(target: string, nowMs: number): void {
    const seen = this.#targets.get(target);
    if (!seen) return;
    extend(seen, nowMs);
    seen.lastMs = Number.POSITIVE_INFINITY;
  }

  served(target: string, nowMs: number): void {
    const seen = this.#targets.get(target);
    if (seen) extend(seen, nowMs);
    extend(this.#overall, nowMs);
  }

  /** The longest gap of a target, one that is still open included. */
  of(target: string, nowMs: number): number {
    const seen = this.#targets.get(target);
    return seen ? Math.max(seen.longestMs, nowMs - seen.lastMs) : 0;
  }

  worst(nowMs: number): number {
    let worst = 0;
    for (const target of this.#targets.keys()) worst = Math.max(worst, this.of(target, nowMs));
    return worst;
  }

  overall(nowMs: number): number {
    return Math.max(this.#overall.longestMs, nowMs - this.#overall.lastMs);
  }
}

function extend(seen: Seen, nowMs: number): void {
  seen.longestMs = Math.max(seen.longestMs, nowMs - seen.lastMs);
  if (nowMs > seen.lastMs) seen.lastMs = nowMs;
}
