/** After this long a start counts as one that waits for something else than the processor. */
const LONGEST_HOLD_MS = 2_000;

/**
 * Lets so many containers start at once. One machine plays many nodes here: fifteen programs that start together on two cores would
 * hold up every neighbour for seconds, which fifteen nodes would not.
 */
export class StartSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** Waits for a slot and keeps it until the start is over; one that hangs does not keep it. */
  async during<T>(start: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let isHeld = true;
    const giveBack = (): void => {
      if (!isHeld) return;
      isHeld = false;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    };
    const timer = setTimeout(giveBack, LONGEST_HOLD_MS);
    try {
      return await start();
    } finally {
      clearTimeout(timer);
      giveBack();
    }
  }
}
