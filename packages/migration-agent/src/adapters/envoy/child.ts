import { closeAll, EAGAIN } from '../../native/addon.js';
import type { EnvoyBase } from './base.js';
import { HotRestartSocket } from './hot-restart-socket.js';
import { drainRequest, isSocketReply, socketRequest } from './messages.js';

const ANSWER_MS = 2_000;
const RETRY_MS = 10;

/** The younger generation that Envoy believes to be succeeded by: asks it for duplicates of its sockets, tells it to drain. */
export class HotRestartChild {
  readonly #parentPath: string;
  readonly #socket: HotRestartSocket;
  #answer: ((fd: number | undefined) => void) | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(base: EnvoyBase, onFault: (error: unknown) => void) {
    this.#parentPath = base.socketPath('parent', 1);
    this.#socket = new HotRestartSocket(
      base.socketPath('child', 2),
      (message, fds) => this.#receive(message, fds),
      onFault,
    );
  }

  /**
   * A duplicate of the socket on which Envoy listens; the caller's to close. Undefined when Envoy has none for this address and
   * worker, or does not answer. Drains nothing.
   */
  listenSocket(address: string, worker: number): Promise<number | undefined> {
    // One at a time: an answer does not say which question it belongs to.
    const asked = this.#queue.then(() => this.#ask(socketRequest(address, worker)));
    this.#queue = asked;
    return asked;
  }

  /** Envoy stops accepting and begins its drain sequence. A busy Envoy is asked until it listens, or `gone`. */
  drain(gone: () => boolean): void {
    const sent = this.#socket.send(this.#parentPath, drainRequest());
    if (sent === EAGAIN && !gone()) setTimeout(() => this.drain(gone), RETRY_MS);
  }

  close(): void {
    this.#answer?.(undefined);
    this.#socket.close();
  }

  #ask(message: Uint8Array): Promise<number | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer?.(undefined), ANSWER_MS);
      this.#answer = (fd) => {
        clearTimeout(timer);
        this.#answer = undefined;
        resolve(fd);
      };
      if (this.#socket.send(this.#parentPath, message) < 0) this.#answer(undefined);
    });
  }

  #receive(message: Uint8Array, fds: number[]): void {
    const wanted = this.#answer && isSocketReply(message) ? fds[0] : undefined;
    closeAll(fds.filter((fd) => fd !== wanted));
    this.#answer?.(wanted);
  }
}
