import type { ChildProcess } from 'node:child_process';
import { killAll } from '../../supervise/launch.js';

const USUALLY_EVERY_MS = 100;
const TIME_TO_END_MS = 1_000;

/** A retired Envoy: watched until its last connection has ended, then told to end. */
export class Departure {
  readonly #child: ChildProcess;
  readonly #connections: () => Promise<number>;
  readonly #lookEveryMs: number;
  #timer: NodeJS.Timeout | undefined;
  #left = 0;

  constructor(child: ChildProcess, connections: () => Promise<number>, lookEveryMs = USUALLY_EVERY_MS) {
    this.#child = child;
    this.#connections = connections;
    this.#lookEveryMs = lookEveryMs;
  }

  /** Connections when last looked at. */
  get left(): number {
    return this.#left;
  }

  begin(): void {
    this.#look(false);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(emptyBefore: boolean): void {
    this.#timer = setTimeout(async () => {
      // An Envoy that does not answer is left to the end of the time.
      this.#left = await this.#connections().catch(() => Math.max(1, this.#left));
      if (this.#timer === undefined) return;
      // Seen empty twice: a worker that had just accepted when it was told to stop has counted that by now.
      if (this.#left === 0 && emptyBefore) this.#child.kill('SIGTERM');
      else this.#look(this.#left === 0);
    }, this.#lookEveryMs);
  }
}

/** The time is over: Envoy cuts what is left and writes its logs; one that hangs is ended all the same. */
export function cutOff(child: ChildProcess): void {
  child.kill('SIGTERM');
  const late = setTimeout(() => killAll(child), TIME_TO_END_MS);
  child.once('exit', () => clearTimeout(late));
}
