import { chmodSync, rmSync } from 'node:fs';
import { AF_UNIX, addon, closeAll, orThrow, READABLE, SOCK_DGRAM, type WatchHandle } from '../native/addon.js';

const MAX_DATAGRAM = 4096;

/** The receiving end of sd_notify(3): a datagram socket on which the program says `READY=1`. */
export class NotifySocket {
  readonly path: string;
  readonly #fd: number;
  readonly #heard = new Set<string>();
  #watch: WatchHandle | undefined;
  #onReady: (() => void) | undefined;

  constructor(path: string) {
    this.path = path;
    rmSync(path, { force: true });
    this.#fd = orThrow('socket', addon().socket(AF_UNIX, SOCK_DGRAM));
    orThrow('bind', addon().bindUnix(this.#fd, path), path);
    chmodSync(path, 0o600);
    this.#watch = orThrow(
      'poll',
      addon().watch(this.#fd, READABLE, () => this.#receive()),
    );
    // Readiness is waited for by whoever needs it; an idle notify socket keeps nothing alive.
    addon().hold(this.#watch, false);
  }

  /** Resolves at READY=1. @throws Error when `gone` comes first. */
  ready(gone: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#heard.has('READY=1')) return resolve();
      this.#onReady = resolve;
      const refuse = (): void => reject(new Error('the program ended, or did not say READY=1 in time'));
      if (gone.aborted) refuse();
      else gone.addEventListener('abort', refuse, { once: true });
    });
  }

  close(): void {
    if (!this.#watch) return;
    addon().unwatch(this.#watch);
    this.#watch = undefined;
    addon().close(this.#fd);
    rmSync(this.path, { force: true });
  }

  #receive(): void {
    const buffer = Buffer.alloc(MAX_DATAGRAM);
    for (;;) {
      const got = addon().recvmsg(this.#fd, buffer);
      if (typeof got === 'number') return;
      // FDSTORE and the like are not ours to keep.
      closeAll(got.fds);
      for (const line of buffer.toString('utf8', 0, got.bytes).split('\n')) this.#heard.add(line);
      if (this.#heard.has('READY=1')) this.#onReady?.();
      // Only the first of these matters; a chatty program must not grow the set.
      if (this.#heard.size > 64) this.#heard.clear();
    }
  }
}
