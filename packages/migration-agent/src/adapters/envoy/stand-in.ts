import { answersDatagrams } from '../../native/datagram-socket.js';
import { HotRestartParent } from './parent.js';
import type { Generation } from './restart-chain.js';

const LOOK_EVERY_MS = 100;

/**
 * Answers for the parent of an Envoy when that one ends before it was told to: an Envoy that finds nobody there tries for ten seconds,
 * does nothing else meanwhile, and then ends itself.
 *
 * It speaks number 11. Of an Envoy with another number it only takes what needs no answer, which is the word to end.
 */
export class StandIn {
  readonly #generation: Generation;
  readonly #log: (event: string, fields: Record<string, unknown>) => void;
  readonly #timer: NodeJS.Timeout;
  #parent: HotRestartParent | undefined;

  /** Looks for the parent from now on, until Envoy has told it to end. */
  constructor(generation: Generation, log: (event: string, fields: Record<string, unknown>) => void) {
    this.#generation = generation;
    this.#log = log;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#parent?.close();
  }

  #look(): void {
    const { base, epoch } = this.#generation;
    if (answersDatagrams(base.socketPath('parent', epoch - 1))) return;
    clearInterval(this.#timer);
    this.#log('envoy-parent-gone', { epoch: epoch - 1 });
    this.#parent = new HotRestartParent(base, epoch, {
      // It opens what is still missing by itself.
      socketFor: () => undefined,
      reusePort: true,
      serving: () => undefined,
      log: this.#log,
    });
  }
}
