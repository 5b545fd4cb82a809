import { closeAll } from '../native/addon.js';
import { type Datagram, DatagramSocket } from '../native/datagram-socket.js';

const MAX_DATAGRAM = 4096;

/** The receiving end of sd_notify(3): a datagram socket on which the program says `READY=1`. */
export class NotifySocket {
  readonly #socket: DatagramSocket;
  #isReady = false;
  #onReady: (() => void) | undefined;

  constructor(path: string) {
    this.#socket = new DatagramSocket(path, MAX_DATAGRAM, (datagram) => this.#receive(datagram));
  }

  get path(): string {
    return this.#socket.path;
  }

  /** Resolves at READY=1. @throws Error when `gone` comes first. */
  ready(gone: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isReady) return resolve();
      this.#onReady = resolve;
      const refuse = (): void => reject(new Error('no READY=1 came'));
      if (gone.aborted) refuse();
      else gone.addEventListener('abort', refuse, { once: true });
    });
  }

  close(): void {
    this.#socket.close();
  }

  #receive({ data, fds }: Datagram): void {
    // FDSTORE and the like are not ours to keep.
    closeAll(fds);
    if (!Buffer.from(data).toString('utf8').split('\n').includes('READY=1')) return;
    this.#isReady = true;
    this.#onReady?.();
  }
}
