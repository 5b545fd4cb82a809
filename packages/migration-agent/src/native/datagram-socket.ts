import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { AgentError } from '../errors.js';
import { AF_UNIX, addon, closeAll, orThrow, READABLE, SOCK_DGRAM, type WatchHandle } from './addon.js';

const LONGEST_UNIX_PATH = 107;
const DATAGRAMS_PER_WAKE = 64;
const EBADF = -9;

export interface Datagram {
  data: Uint8Array;
  /** Whoever gets the datagram closes them. */
  fds: number[];
  /** The kernel cut off data or descriptors. */
  truncated: boolean;
}

/** A Unix datagram socket in the private directory that only this user may write to. */
export class DatagramSocket {
  readonly path: string;
  readonly #fd: number;
  readonly #inode: number;
  readonly #buffer: Buffer;
  readonly #onDatagram: (datagram: Datagram) => void;
  #watch: WatchHandle | undefined;

  /**
   * Takes the name from whoever had it: in the private directory that is a process that ended.
   *
   * @param longest bytes of a datagram; what exceeds them is cut off
   * @throws AgentError `BAD_ADDRESS` when the path is too long for a Unix socket.
   */
  constructor(path: string, longest: number, onDatagram: (datagram: Datagram) => void) {
    if (Buffer.byteLength(path) > LONGEST_UNIX_PATH) {
      throw new AgentError('BAD_ADDRESS', `the socket path ${path} is longer than ${LONGEST_UNIX_PATH} bytes`, {
        hint: 'Set SIDESTEP_DIR to a shorter path.',
      });
    }
    this.path = path;
    this.#buffer = Buffer.alloc(longest);
    this.#onDatagram = onDatagram;
    rmSync(path, { force: true });
    this.#fd = bindDatagramSocket(path);
    chmodSync(path, 0o600);
    this.#inode = lstatSync(path).ino;
    this.#watch = orThrow(
      'poll',
      addon().watch(this.#fd, READABLE, () => this.#receive()),
    );
    // The program keeps the agent running; a socket that waits for it need not.
    addon().hold(this.#watch, false);
  }

  /** The descriptors stay the caller's. Returns the bytes sent, or a negative errno. */
  send(to: string, data: Uint8Array, fds: readonly number[] = []): number {
    return this.#watch ? addon().sendmsg(this.#fd, data, fds, to) : EBADF;
  }

  close(): void {
    if (!this.#watch) return;
    addon().unwatch(this.#watch);
    this.#watch = undefined;
    addon().close(this.#fd);
    // Whoever took the name since then keeps it.
    if (lstatSync(this.path, { throwIfNoEntry: false })?.ino === this.#inode) rmSync(this.path, { force: true });
  }

  #receive(): void {
    for (let i = 0; i < DATAGRAMS_PER_WAKE && this.#watch; i++) {
      const got = addon().recvmsg(this.#fd, this.#buffer);
      if (typeof got === 'number') return;
      const data = Uint8Array.prototype.slice.call(this.#buffer, 0, got.bytes);
      this.#onDatagram({ data, fds: got.fds, truncated: got.truncated !== 0 });
    }
  }
}

/** Binds a Unix datagram socket to the path, which must be free. @throws SystemCallError. */
export function bindDatagramSocket(path: string): number {
  const fd = orThrow('socket', addon().socket(AF_UNIX, SOCK_DGRAM));
  const result = addon().bindUnix(fd, path);
  if (result < 0) addon().close(fd);
  orThrow('bind', result, path);
  return fd;
}

/** Whether a process is behind the name: without one the kernel refuses, and the file alone says nothing. */
export function answersDatagrams(path: string): boolean {
  const probe = orThrow('socket', addon().socket(AF_UNIX, SOCK_DGRAM));
  const result = addon().connectUnix(probe, path);
  addon().close(probe);
  return result >= 0;
}

/** What a socket is that takes whatever is sent to it and says nothing. */
export function swallow({ fds }: Datagram): void {
  closeAll(fds);
}
