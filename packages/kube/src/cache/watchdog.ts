import type { Clock } from '../clock.js';

/** Barks once when it was not fed for `limitMs`. Feeding costs a clock reading, no timer: a busy watch feeds it for every event. */
export class Watchdog {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #bark: () => void;
  #fedAt: number;
  #cancel: () => void;

  constructor(clock: Clock, limitMs: number, bark: () => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#bark = bark;
    this.#fedAt = clock.now().getTime();
    this.#cancel = clock.after(limitMs, () => this.#look());
  }

  feed(): void {
    this.#fedAt = this.#clock.now().getTime();
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const left = this.#fedAt + this.#limitMs - this.#clock.now().getTime();
    if (left <= 0) this.#bark();
    else this.#cancel = this.#clock.after(left, () => this.#look());
  }
}
