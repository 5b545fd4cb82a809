interface Seen {
  /** Since when requests have been waiting with none served; undefined while nothing is asked. */
  askedMs: number | undefined;
  waiting: number;
  /** Nothing before this counts. */
  fromMs: number;
  longestMs: number;
}

/**
 * The longest time for which a target was asked and served nothing, per target and over all of them. It begins when a request is due,
 * or with the last one served while others wait: time in which nobody asked is nobody's gap, however small the load is.
 */
export class Gaps {
  readonly #targets = new Map<string, Seen>();
  readonly #overall: Seen;

  constructor(startMs: number) {
    this.#overall = newSeen(startMs);
  }

  /** From now on the target is expected to serve. */
  begin(target: string, nowMs: number): void {
    if (!this.#targets.has(target)) this.#targets.set(target, newSeen(nowMs));
  }

  /** From now on it is not; its longest gap stays. */
  end(target: string, nowMs: number): void {
    const seen = this.#targets.get(target);
    if (!seen) return;
    extend(seen, nowMs);
    seen.askedMs = undefined;
    seen.fromMs = Number.POSITIVE_INFINITY;
  }

  /** A request waits for the target from then on. */
  due(target: string, dueMs: number): void {
    for (const seen of this.#of(target)) {
      seen.waiting += 1;
      seen.askedMs ??= Math.max(dueMs, seen.fromMs);
    }
  }

  served(target: string, dueMs: number, nowMs: number): void {
    for (const seen of this.#of(target)) {
      // It may have been due before this book was opened.
      seen.askedMs ??= Math.max(dueMs, seen.fromMs);
      extend(seen, nowMs);
      seen.waiting = Math.max(0, seen.waiting - 1);
      seen.fromMs = Math.max(seen.fromMs, nowMs);
      seen.askedMs = seen.waiting > 0 ? seen.fromMs : undefined;
    }
  }

  /** It waits no more, and was not served: what it waited goes on until another one is. */
  lost(target: string): void {
    for (const seen of this.#of(target)) seen.waiting = Math.max(0, seen.waiting - 1);
  }

  /** The longest gap of a target, one that is still open included. */
  of(target: string, nowMs: number): number {
    const seen = this.#targets.get(target);
    return seen ? longest(seen, nowMs) : 0;
  }

  worst(nowMs: number): number {
    let worst = 0;
    for (const seen of this.#targets.values()) worst = Math.max(worst, longest(seen, nowMs));
    return worst;
  }

  overall(nowMs: number): number {
    return longest(this.#overall, nowMs);
  }

  #of(target: string): Seen[] {
    const seen = this.#targets.get(target);
    return seen ? [seen, this.#overall] : [this.#overall];
  }
}

const newSeen = (fromMs: number): Seen => ({ askedMs: undefined, waiting: 0, fromMs, longestMs: 0 });

const longest = ({ askedMs, longestMs }: Seen, nowMs: number): number =>
  askedMs === undefined ? longestMs : Math.max(longestMs, nowMs - askedMs);

function extend(seen: Seen, nowMs: number): void {
  seen.longestMs = longest(seen, nowMs);
}
