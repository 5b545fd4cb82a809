const LOOK_MS = 100;
/** Longer than a program of the platform may go without a turn before somebody else takes its work over. */
const SPOILT_MS = 3_000;
/** What has not come right this long after such a standstill is not waited for to its end, as it would say nothing. */
const PATIENCE_MS = 30_000;

/** Whether a failure says nothing, the machine having stood still for so long. */
export const isSpoiltBy = (stoodStillMs: number): boolean => stoodStillMs > SPOILT_MS;

/** Notices when this machine gives its programs no turn for a while, as one does that is paused or far too busy. */
export class Standstill {
  #longestMs = 0;
  #spoiltAt: number | undefined;
  #due: number;
  readonly #now: () => number;
  readonly #timer = setInterval(() => this.#look(), LOOK_MS);

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#due = now() + LOOK_MS;
  }

  /** Waiting on is in vain: whatever comes of it, it has to be done again. */
  get isGivenUp(): boolean {
    return this.#spoiltAt !== undefined && this.#now() - this.#spoiltAt > PATIENCE_MS;
  }

  /** Milliseconds beyond what was due; ends the watch. */
  end(): number {
    clearInterval(this.#timer);
    this.#look();
    return Math.round(this.#longestMs);
  }

  #look(): void {
    const now = this.#now();
    const lateMs = now - this.#due;
    this.#longestMs = Math.max(this.#longestMs, lateMs);
    if (isSpoiltBy(lateMs)) this.#spoiltAt ??= now;
    this.#due = now + LOOK_MS;
  }
}
