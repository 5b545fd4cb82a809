/** Tells that something happened, however often it did since it was asked. */
export class Latest {
  /** Resolves when the signal aborts. */
  readonly ended: Promise<void>;
  private dirty = false;
  private wake: () => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.ended = new Promise((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  happened(): void {
    this.dirty = true;
    this.wake();
  }

  /** Resolves once something happened since the last time, or all ends. */
  async next(): Promise<void> {
    if (!this.dirty) {
      const happened = new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      await Promise.race([happened, this.ended]);
    }
    this.dirty = false;
  }
}
