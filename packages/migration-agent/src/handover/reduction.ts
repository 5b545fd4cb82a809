/** Runs a pure reducer: one event at a time, its actions in order, and a timer for its next deadline. */
export interface ReductionHost<State, Event, Action> {
  initial: State;
  reduce(state: State, event: Event, now: number): { state: State; actions: Action[] };
  deadline(state: State): number | undefined;
  perform(action: Action): void;
  tick: Event;
}

/** Milliseconds on a clock that nobody sets back. */
export const monotonicMs = (): number => performance.now();

export class Reduction<State, Event, Action> {
  readonly #host: ReductionHost<State, Event, Action>;
  readonly #events: Event[] = [];
  #running = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  state: State;

  constructor(host: ReductionHost<State, Event, Action>) {
    this.#host = host;
    this.state = host.initial;
  }

  /** Events that actions cause are taken after the running one, so that a reducer always sees settled state. */
  dispatch(event: Event): void {
    if (this.#stopped) return;
    this.#events.push(event);
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) this.#step(next);
    } finally {
      this.#running = false;
      this.#arm();
    }
  }

  /** Takes no event any more. What the running event still causes is done. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #step(event: Event): void {
    const { state, actions } = this.#host.reduce(this.state, event, monotonicMs());
    this.state = state;
    for (const action of actions) this.#host.perform(action);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const deadline = this.#host.deadline(this.state);
    if (deadline === undefined || !Number.isFinite(deadline)) return;
    const wait = Math.max(0, Math.ceil(deadline - monotonicMs()));
    this.#timer = setTimeout(() => this.dispatch(this.#host.tick), wait);
  }
}
