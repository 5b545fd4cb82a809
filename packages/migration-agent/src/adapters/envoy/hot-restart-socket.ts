import { chmodSync, rmSync } from 'node:fs';
import { AgentError } from '../../errors.js';
import { AF_UNIX, addon, closeAll, orThrow, READABLE, SOCK_DGRAM, type WatchHandle } from '../../native/addon.js';
import { lengthOf } from './messages.js';

/** Envoy cuts longer messages into datagrams of this size; the first begins with the length of all. */
const DATAGRAM_BYTES = 4096;
const DATAGRAMS_PER_WAKE = 64;
const LONGEST_UNIX_PATH = 107;

/** One end of Envoy's hot restart: a datagram socket that only this user may write to. */
export class HotRestartSocket {
  readonly path: string;
  readonly #fd: number;
  readonly #onMessage: (message: Uint8Array, fds: number[]) => void;
  readonly #onFault: (error: unknown) => void;
  #watch: WatchHandle | undefined;
  #parts: { missing: number; chunks: Uint8Array[]; fds: number[] } | undefined;

  /**
   * @param onMessage owns the descriptors that come with a message
   * @param onFault what cannot be read is dropped after this
   */
  constructor(
    path: string,
    onMessage: (message: Uint8Array, fds: number[]) => void,
    onFault: (error: unknown) => void,
  ) {
    if (Buffer.byteLength(path) > LONGEST_UNIX_PATH) {
      throw new AgentError('BAD_ADDRESS', `the socket path ${path} is longer than ${LONGEST_UNIX_PATH} bytes`, {
        hint: 'Set SIDESTEP_DIR to a shorter path.',
      });
    }
    this.path = path;
    this.#onMessage = onMessage;
    this.#onFault = onFault;
    this.#fd = orThrow('socket', addon().socket(AF_UNIX, SOCK_DGRAM));
    orThrow('bind', addon().bindUnix(this.#fd, path), path);
    chmodSync(path, 0o600);
    this.#watch = orThrow(
      'poll',
      addon().watch(this.#fd, READABLE, () => this.#receive()),
    );
    // The program keeps the agent running; a socket that waits for it need not.
    addon().hold(this.#watch, false);
  }

  /** The descriptor, if any, stays the caller's. Returns the bytes sent, or a negative errno. */
  send(to: string, message: Uint8Array, fds: readonly number[] = []): number {
    return this.#watch ? addon().sendmsg(this.#fd, message, fds, to) : -9;
  }

  close(): void {
    if (!this.#watch) return;
    addon().unwatch(this.#watch);
    this.#watch = undefined;
    this.#drop();
    addon().close(this.#fd);
    rmSync(this.path, { force: true });
  }

  #receive(): void {
    const buffer = Buffer.alloc(DATAGRAM_BYTES);
    for (let i = 0; i < DATAGRAMS_PER_WAKE && this.#watch; i++) {
      const got = addon().recvmsg(this.#fd, buffer);
      if (typeof got === 'number') return;
      try {
        if (got.truncated !== 0) throw new Error('the kernel cut a message off');
        this.#take(Uint8Array.prototype.slice.call(buffer, 0, got.bytes), got.fds);
      } catch (error) {
        closeAll(got.fds);
        this.#drop();
        this.#onFault(error);
      }
    }
  }

  #take(chunk: Uint8Array, fds: number[]): void {
    const parts = this.#parts ?? { missing: lengthOf(chunk), chunks: [], fds: [] };
    if (chunk.length > parts.missing || chunk.length === 0)
      throw new Error('a message has another length than it says');
    parts.missing -= chunk.length;
    parts.chunks.push(chunk);
    parts.fds.push(...fds);
    this.#parts = parts.missing > 0 ? parts : undefined;
    if (parts.missing === 0) this.#onMessage(Buffer.concat(parts.chunks), parts.fds);
  }

  #drop(): void {
    closeAll(this.#parts?.fds ?? []);
    this.#parts = undefined;
  }
}
