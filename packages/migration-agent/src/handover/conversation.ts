import { closeAll } from '../native/addon.js';
import type { Channel, ChannelEvents } from '../native/channel.js';
import { decodeFrame, encodeFrame, FRAME_TYPE, type Frame, FrameError, withoutDescriptors } from '../protocol/frame.js';
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
  /** The peer is gone. */
  end(): void;
  /** What came cannot be read. The conversation is still open: whoever hears this says so and ends it. */
  unreadable(error: Error): void;
}

/** Frames over one channel: numbering, typed messages, and the answers that every peer is owed whatever the state. */
export class Conversation {
  readonly #channel: Channel;
  readonly #events: ConversationEvents;
  #seq = 0;
  /** Version of the frames this side sends; 1 until one is agreed. */
  version = 1;

  constructor(channel: (events: ChannelEvents) => Channel, events: ConversationEvents) {
    this.#events = events;
    this.#channel = channel({
      packet: (data, fds) => this.#onPacket(data, fds),
      cut: (data, what) => this.#onCut(data, what),
      end: () => events.end(),
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
      this.#events.unreadable(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Connections for which this process has no descriptors left can be refused one by one; without anything else it cannot go on. */
  #onCut(data: Uint8Array, what: 'data' | 'descriptors'): void {
    const lost = new FrameError('TRUNCATED', `the kernel cut off ${what}`);
    try {
      const frame = what === 'descriptors' ? withoutDescriptors(data) : undefined;
      const message = frame && readMessage(frame.type, frame.body);
      if (frame && message?.type === 'CONNS') this.#events.incoming({ message, seq: frame.seq, fds: [] });
      else this.#events.unreadable(lost);
    } catch {
      this.#events.unreadable(lost);
    }
  }
}
