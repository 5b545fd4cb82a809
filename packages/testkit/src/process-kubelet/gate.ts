/** Remembers that something is to be done until somebody comes to do it. */
export interface Trigger {
  set(): void;
  /** Resolves at once when it was set since the last wait, else when it is. */
  wait(): Promise<void>;
}

export function newTrigger(): Trigger {
  let isSet = false;
  let wake: (() => void) | undefined;
  return {
    set() {
      isSet = true;
      wake?.();
    },
    async wait() {
      if (!isSet) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      wake = undefined;
      isSet = false;
    },
  };
}

/** Holds everybody who asks while it is closed. */
export class Gate {
  #waiting: (() => void)[] = [];
  #open = true;

  get isOpen(): boolean {
    return this.#open;
  }

  close(): void {
    this.#open = false;
  }

  open(): void {
    this.#open = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async opened(): Promise<void> {
    while (!this.#open) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
