import { HEADER_BYTES, MAX_STATE_BODY_BYTES } from '../protocol/limits.js';
import {
  AF_UNIX,
  addon,
  closeAll,
  EAGAIN,
  orThrow,
  READABLE,
  SOCK_SEQPACKET,
  type WatchHandle,
  WRITABLE,
} from './addon.js';

/** What a channel reports. `packet` owns the descriptors it is given; `end` comes at most once. */
export interface ChannelEvents {
  packet(data: Uint8Array, fds: number[]): void;
  /** A message of which the kernel cut something off, and what; its descriptors are closed. */
  cut(data: Uint8Array, what: 'data' | 'descriptors'): void;
  /** The peer is gone. */
  end(): void;
}

const RECEIVE_BYTES = HEADER_BYTES + MAX_STATE_BODY_BYTES;
const PACKETS_PER_WAKE = 64;
const ECONNRESET = -104;

/** One connected SEQPACKET socket: whole messages with descriptors, in order, without blocking. */
export class Channel {
  readonly #fd: number;
  readonly #events: ChannelEvents;
  readonly #queue: { data: Uint8Array; fds: readonly number[]; done: () => void }[] = [];
  #watch: WatchHandle | undefined;
  // Allocated per wake-up, not per channel: an idle channel costs no buffer.
  static #buffer: Buffer | undefined;

  constructor(fd: number, events: ChannelEvents) {
    this.#fd = fd;
    this.#events = events;
    this.#watch = orThrow(
      'poll',
      addon().watch(fd, READABLE, (ready) => this.#onReady(ready)),
    );
  }

  /** @throws SystemCallError ENOENT, ECONNREFUSED, EACCES, EAGAIN (the peer's backlog is full). */
  static connect(path: string, events: ChannelEvents): Channel {
    const fd = orThrow('socket', addon().socket(AF_UNIX, SOCK_SEQPACKET));
    const result = addon().connectUnix(fd, path);
    if (result < 0) addon().close(fd);
    orThrow('connect', result, path);
    return new Channel(fd, events);
  }

  get open(): boolean {
    return this.#watch !== undefined;
  }

  /** The peer's user id as the kernel knows it (65534 when it is not mapped here). */
  peerUid(): number {
    const peer = addon().peerCredentials(this.#fd);
    return typeof peer === 'number' ? 65534 : peer.uid;
  }

  /**
   * Sends now or as soon as the peer has room; order is kept. The descriptors must stay open until `done`, which comes once the kernel
   * has its own references or nobody will ever get them.
   */
  send(data: Uint8Array, fds: readonly number[] = [], done: () => void = () => undefined): void {
    if (!this.open) {
      done();
      return;
    }
    this.#queue.push({ data, fds, done });
    if (this.#queue.length === 1) this.#flush();
  }

  /** Packets not yet taken by the kernel. */
  get backlog(): number {
    return this.#queue.length;
  }

  /** Whether this channel alone keeps the process alive (it does at first). */
  hold(hold: boolean): void {
    if (this.#watch) addon().hold(this.#watch, hold);
  }

  /** Closes without an `end` event. */
  close(): void {
    if (!this.#watch) return;
    addon().unwatch(this.#watch);
    this.#watch = undefined;
    for (const { done } of this.#queue.splice(0)) done();
    addon().close(this.#fd);
  }

  #finish(): void {
    if (!this.open) return;
    this.close();
    this.#events.end();
  }

  #onReady(ready: number): void {
    // The peer closed with something unread. The watch is over; what the peer sent before is still to be read.
    if (ready < 0) {
      this.#receive(Number.POSITIVE_INFINITY);
      this.#finish();
      return;
    }
    if (ready & WRITABLE) this.#flush();
    if (ready & READABLE) this.#receive(PACKETS_PER_WAKE);
  }

  #flush(): void {
    while (this.open && this.#queue.length > 0) {
      const next = this.#queue[0]!;
      const sent = addon().sendmsg(this.#fd, next.data, next.fds);
      if (sent === EAGAIN) break;
      // Other errors (EPIPE, ECONNRESET) mean the peer is gone; what it wrote before is still readable and comes first.
      this.#queue.shift()?.done();
    }
    if (this.#watch) addon().rewatch(this.#watch, this.#queue.length > 0 ? READABLE | WRITABLE : READABLE);
  }

  #receive(most: number): void {
    Channel.#buffer ??= Buffer.allocUnsafeSlow(RECEIVE_BYTES);
    const buffer = Channel.#buffer;
    for (let i = 0; i < most && this.open; i++) {
      const got = addon().recvmsg(this.#fd, buffer);
      if (got === EAGAIN) return;
      // Comes once, before what the peer sent: it ended with unread data.
      if (got === ECONNRESET) continue;
      if (typeof got === 'number') {
        this.#finish();
        return;
      }
      if (got.bytes === 0 && got.fds.length === 0 && got.truncated === 0) {
        this.#finish();
        return;
      }
      // A copy: whoever takes the packet may keep it beyond the next receive.
      const data = Uint8Array.prototype.slice.call(buffer, 0, got.bytes);
      if (got.truncated === 0) this.#events.packet(data, got.fds);
      else {
        closeAll(got.fds);
        this.#events.cut(data, got.truncated & 1 ? 'data' : 'descriptors');
      }
    }
  }
}
