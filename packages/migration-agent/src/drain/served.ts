import type { DrainCounts, DrainTools } from '../handover/workload.js';
import type { ConnectionRecord } from '../protocol/messages.js';

/** One server behind one listener: how it starts and stops accepting, and how its connections end. */
export interface Served {
  /** Accepts on `fd`, which is the server's from here on. Resolves when it does. */
  attach(fd: number, backlog: number): Promise<void>;
  /** Stops accepting before it returns; connections go on. */
  detach(): void;
  openConnections(): number;
  drain(tools: DrainTools, listener: string): Promise<DrainCounts>;
  /** Takes a migrated connection over; false when it cannot (the caller closes it). */
  adopt(record: ConnectionRecord, fd: number): boolean;
  /** The 48 bytes that make TLS session tickets of one process good in the next. */
  ticketKeys?: { get(): Buffer; set(keys: Buffer): void };
}

/** Wakes a waiting drain when something changed. A wake-up nobody waits for is kept for the next wait. */
export class Wakeup {
  #pending = false;
  #wake: (() => void) | undefined;

  wake(): void {
    this.#pending = true;
    this.#wake?.();
  }

  /** Resolves at the next wake-up, or after `ms`. */
  async wait(ms: number): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#pending = false;
  }
}

/** One look at the connections of a draining server. */
export interface DrainRound {
  open(): number;
  /** Does what is due now; returns how many milliseconds until something is due again. */
  round(): number | Promise<number>;
  /** Cuts what is left. */
  cut(): void;
}

export interface DrainEnd {
  /** Cut when the time was over. */
  killed: number;
  /** Still open because the drain was cancelled: they are counted by the drain that follows, if one does. */
  left: number;
}

/** Rounds until nothing is open, the time is over or the drain is cancelled. */
export async function drainUntilEmpty(tools: DrainTools, wakeup: Wakeup, rounds: DrainRound): Promise<DrainEnd> {
  const onCancel = (): void => wakeup.wake();
  tools.cancelled.addEventListener('abort', onCancel);
  try {
    while (rounds.open() > 0 && !tools.cancelled.aborted) {
      if (tools.remainingMs() <= 0) {
        const killed = rounds.open();
        rounds.cut();
        return { killed, left: 0 };
      }
      const next = await rounds.round();
      // SIGTERM may shorten the time at any moment, so no wait is long.
      if (rounds.open() > 0) await wakeup.wait(Math.min(next, tools.remainingMs(), 250));
    }
    return { killed: 0, left: rounds.open() };
  } finally {
    tools.cancelled.removeEventListener('abort', onCancel);
  }
}

/** Spreads `count` events at random over a window, so that clients do not come back all at once. */
export function spread(windowMs: number, random: () => number = Math.random): number {
  return windowMs * random();
}
