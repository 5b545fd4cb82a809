/** The bytes of all bodies that are being read or answered, of which there may be only so many. */
export class BodyBytes {
  readonly #most: number;
  readonly #onChange: (held: number) => void;
  #held = 0;

  constructor(most: number, onChange: (held: number) => void) {
    this.#most = most;
    this.#onChange = onChange;
  }

  /** A request's part, which it gives back when it was answered. */
  share(): BodyShare {
    let own = 0;
    return {
      take: (bytes) => {
        // One that is alone may be longer than all may be together, or it would be refused for ever.
        if (this.#held + bytes > this.#most && this.#held > own) return false;
        own += bytes;
        this.#change(bytes);
        return true;
      },
      giveBack: () => {
        this.#change(-own);
        own = 0;
      },
    };
  }

  #change(by: number): void {
    this.#held += by;
    this.#onChange(this.#held);
  }
}

/** What one request holds. */
export interface BodyShare {
  /** False when there is no room for so many bytes more. */
  take(bytes: number): boolean;
  giveBack(): void;
}
