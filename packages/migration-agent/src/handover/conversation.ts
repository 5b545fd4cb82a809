import { closeAll } from '../native/addon.js';
import { Channel } from '../native/channel.js';
import { decodeFrame, encodeFrame, FRAME_TYPE, type Frame } from '../protocol/frame.js';
import { type Message, readMessage, writeBody } from '../protocol/messages.js';

/** A message with the descriptors that came along; whoever handles it owns them. */
export interface Incoming {
  message: Message;
  seq: number;
  fds: number[];
}

/** Tests stop a process at a named point with it: return a promise that never settles, kill the process, or throw. */
export type Interrupt = (point: string) => void | Promise<void>;

export interface ConversationEvents {
  incoming(incoming: Incoming): void;
  /** The peer is gone, or broke the framing. */
  end(error?: Error): void;
}

/** Frames over one channel: numbering, typed messages, and the answers that every peer is owed whatever the state. */
export class Conversation {
  readonly #channel: Channel;
  readonly #events: ConversationEvents;
  #seq = 0;
  /** Version of the frames this side sends; 1 until one is agreed. */
  version = 1;

  constructor(
    channel: (events: { packet(data: Uint8Array, fds: number[]): void; end(error?: Error): void }) => Channel,
    events: ConversationEvents,
  ) {
    this.#events = events;
    this.#channel = channel({
      packet: (data, fds) => this.#onPacket(data, fds),
      end: (error) => events.end(error),
    });
  }

  get open(): boolean {
    return this.#channel.open;
  }

  peerUid(): number {
    return this.#channel.peerUid();
  }

  hold(hold: boolean): void {
    this.#channel.hold(hold);
  }

  /** Returns the frame's number, which an ACK refers to. The descriptors must stay open until `done`. */
  send(message: Message, fds: readonly number[] = [], done?: () => void): number {
    this.#seq += 1;
    const frame: Frame = {
      version: this.version,
      type: FRAME_TYPE[message.type],
      flags: 0,
      seq: this.#seq,
      body: writeBody(message),
      fdCount: fds.length,
    };
    this.#channel.send(encodeFrame(frame), fds, done);
    return this.#seq;
  }

  close(): void {
    this.#channel.close();
  }

  #onPacket(data: Uint8Array, fds: number[]): void {
    try {
      const frame = decodeFrame(data, fds.length);
      const message = readMessage(frame.type, frame.body);
      if (message) this.#events.incoming({ message, seq: frame.seq, fds });
      else {
        closeAll(fds);
        this.send({ type: 'ERR', unknown: frame.type, of: frame.seq });
      }
    } catch (error) {
      closeAll(fds);
      this.#refuse(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #refuse(error: Error): void {
    this.send({ type: 'ABORT', reason: 'bad-frame', message: error.message.slice(0, 500), retryAfterMs: 0 });
    this.close();
    this.#events.end(error);
  }
}
