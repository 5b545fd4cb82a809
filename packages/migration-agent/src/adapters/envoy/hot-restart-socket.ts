import { closeAll } from '../../native/addon.js';
import { type Datagram, DatagramSocket } from '../../native/datagram-socket.js';
import { lengthOf } from './messages.js';

/** Envoy cuts longer messages into datagrams of this size; the first begins with the length of all. */
const DATAGRAM_BYTES = 4096;

/** One end of Envoy's hot restart: puts the datagrams of a message together again. */
export class HotRestartSocket {
  readonly #socket: DatagramSocket;
  readonly #onMessage: (message: Uint8Array, fds: number[]) => void;
  readonly #onFault: (error: unknown) => void;
  #parts: { missing: number; chunks: Uint8Array[]; fds: number[] } | undefined;

  /**
   * @param onMessage owns the descriptors that come with a message
   * @param onFault what cannot be read is dropped after this
   * @throws AgentError `BAD_ADDRESS`.
   */
  constructor(
    path: string,
    onMessage: (message: Uint8Array, fds: number[]) => void,
    onFault: (error: unknown) => void,
  ) {
    this.#onMessage = onMessage;
    this.#onFault = onFault;
    this.#socket = new DatagramSocket(path, DATAGRAM_BYTES, (datagram) => this.#receive(datagram));
  }

  get path(): string {
    return this.#socket.path;
  }

  /** The descriptor, if any, stays the caller's. Returns the bytes sent, or a negative errno. */
  send(to: string, message: Uint8Array, fds: readonly number[] = []): number {
    return this.#socket.send(to, message, fds);
  }

  close(): void {
    this.#drop();
    this.#socket.close();
  }

  #receive({ data, fds, truncated }: Datagram): void {
    try {
      if (truncated) throw new Error('the kernel cut a message off');
      this.#take(data, fds);
    } catch (error) {
      closeAll(fds);
      this.#drop();
      this.#onFault(error);
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
