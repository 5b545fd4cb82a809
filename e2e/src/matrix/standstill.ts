const LOOK_MS = 100;

/** Notices when this machine gives its programs no turn for a while, as one does that is paused or far too busy. */
export class Standstill {
  #longestMs = 0;
  #due = performance.now() + LOOK_MS;
  readonly #timer = setInterval(() => this.#look(), LOOK_MS);

  /** Milliseconds beyond what was due; ends the watch. */
  end(): number {
    clearInterval(this.#timer);
    this.#look();
    return Math.round(this.#longestMs);
  }

  #look(): void {
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - this.#due);
    this.#due = now + LOOK_MS;
  }
}
