import { addon, orThrow, READABLE, type WatchHandle } from '../native/addon.js';
import { NamedSocket } from './private-directory.js';

const MOST_CONVERSATIONS = 32;

/** Where the holder of the listeners can be asked for them. */
export class Endpoint {
  readonly #socket: NamedSocket;
  readonly #accepted: (fd: number) => void;
  readonly #open: () => number;
  #watch: WatchHandle | undefined;

  /**
   * @param open how many conversations are open now; beyond a bound newcomers are closed at once, so that a flood cannot exhaust us
   */
  constructor(path: string, accepted: (fd: number) => void, open: () => number) {
    this.#socket = new NamedSocket(path);
    this.#accepted = accepted;
    this.#open = open;
    this.#watch = orThrow(
      'poll',
      addon().watch(this.#socket.fd, READABLE, () => this.#accept()),
    );
    this.#socket.claim();
  }

  close(): void {
    if (!this.#watch) return;
    addon().unwatch(this.#watch);
    this.#watch = undefined;
    this.#socket.close();
  }

  #accept(): void {
    for (let i = 0; i < MOST_CONVERSATIONS && this.#watch; i++) {
      const fd = addon().accept(this.#socket.fd);
      if (fd < 0) return;
      if (this.#open() >= MOST_CONVERSATIONS) addon().close(fd);
      else this.#accepted(fd);
    }
  }
}
