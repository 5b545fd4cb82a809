import { addon, orThrow, READABLE, type WatchHandle } from '../native/addon.js';
import type { ConnectionRecord } from '../protocol/messages.js';
import type { Movable } from './moving.js';
import { spread } from './served.js';

export interface SleepingHost {
  /** The client has said something, or has ended: the descriptor is the host's from here on. */
  woken(fd: number): void;
  /** One was closed here. */
  closed(): void;
  /** How long a client may be silent; 0 for ever. */
  timeoutMs(): number;
}

/**
 * In one turn of the loop. Those that are awake are all read in each turn, so with few at once the last of a thousand that speak at the
 * same time would wait for many long turns; with no limit new connections would wait for ten thousand.
 */
const WOKEN_AT_ONCE = 1_000;

interface Sleeper {
  since: number;
  closeAt: number | undefined;
}

/**
 * Connections that came from the predecessor and whose clients have said nothing since: descriptors in a set of the kernel's.
 *
 * Thousands come at a commit, and this process has to accept and to answer then. A socket and a parser of Node's cost each thirty times
 * what moving it does, so they are made when the first byte comes. Those that are still silent at the next hand-over move on as they are.
 */
export class SleepingConnections {
  readonly #host: SleepingHost;
  /** Oldest first. */
  readonly #sleepers = new Map<number, Sleeper>();
  #onTheirWay = 0;
  #set: { fd: number; watch: WatchHandle } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(host: SleepingHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#sleepers.size + this.#onTheirWay;
  }

  /** False for what cannot be waited for; it stays the caller's. */
  add(fd: number): boolean {
    this.#set ??= this.#open();
    if (!this.#set) return false;
    const added = addon().waitSetAdd(this.#set.fd, fd) >= 0;
    if (added) this.#sleepers.set(fd, { since: performance.now(), closeAt: undefined });
    this.#settle();
    return added;
  }

  /** All of them, to be offered to the successor. */
  leave(record: ConnectionRecord): Movable[] {
    const fds = [...this.#sleepers.keys()];
    this.#onTheirWay += fds.length;
    for (const fd of fds) this.#remove(fd);
    this.#settle();
    return fds.map((fd) => ({
      record,
      fd,
      taken: () => {
        this.#onTheirWay -= 1;
        this.#close(fd);
      },
      kept: () => {
        this.#onTheirWay -= 1;
        if (!this.add(fd)) this.#close(fd);
      },
    }));
  }

  /** Closes each at some moment of a window that begins when this is first asked; returns in how many milliseconds the next is due. */
  closeDue(windowMs: number): number {
    const now = performance.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [fd, sleeper] of this.#sleepers) {
      sleeper.closeAt ??= now + spread(windowMs);
      if (sleeper.closeAt <= now) this.#end(fd);
      else next = Math.min(next, sleeper.closeAt - now);
    }
    this.#settle();
    return next;
  }

  closeAll(): void {
    for (const fd of [...this.#sleepers.keys()]) this.#end(fd);
    this.#settle();
  }

  /** Undefined when this process may have no more descriptors. */
  #open(): { fd: number; watch: WatchHandle } | undefined {
    const fd = addon().waitSet();
    if (fd < 0) return undefined;
    const watch = orThrow(
      'poll',
      addon().watch(fd, READABLE, () => this.#onReady()),
    );
    // A program that closes its server and has nothing left to do ends, whoever is silent here.
    addon().hold(watch, false);
    return { fd, watch };
  }

  #onReady(): void {
    for (let woken = 0; woken < WOKEN_AT_ONCE; ) {
      const ready = this.#set ? addon().waitSetReady(this.#set.fd) : [];
      if (typeof ready === 'number' || ready.length === 0) break;
      for (const fd of ready) {
        this.#remove(fd);
        this.#host.woken(fd);
      }
      woken += ready.length;
    }
    this.#settle();
  }

  /** Nobody sleeps: then nothing is kept open either. */
  #settle(): void {
    if (this.#sleepers.size > 0) {
      this.#arm();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#set) return;
    addon().unwatch(this.#set.watch);
    addon().close(this.#set.fd);
    this.#set = undefined;
  }

  #arm(): void {
    const timeoutMs = this.#host.timeoutMs();
    const oldest = this.#sleepers.values().next().value;
    if (this.#timer || timeoutMs <= 0 || !oldest) return;
    const wait = Math.max(1, oldest.since + timeoutMs - performance.now());
    this.#timer = setTimeout(() => this.#onTimeout(), Math.min(wait, 2 ** 31 - 1)).unref();
  }

  #onTimeout(): void {
    this.#timer = undefined;
    // What has come by now counts: the loop looks at its timers first.
    this.#onReady();
    const timeoutMs = this.#host.timeoutMs();
    const now = performance.now();
    for (const [fd, { since }] of this.#sleepers) {
      if (timeoutMs <= 0 || since + timeoutMs > now) break;
      this.#end(fd);
    }
    this.#settle();
  }

  #end(fd: number): void {
    this.#remove(fd);
    this.#close(fd);
  }

  /** Out of the set before it is closed or read elsewhere: another process may hold the connection too. */
  #remove(fd: number): void {
    this.#sleepers.delete(fd);
    if (this.#set) addon().waitSetRemove(this.#set.fd, fd);
  }

  #close(fd: number): void {
    addon().close(fd);
    this.#host.closed();
  }
}
