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
  /** What came cannot be read. The conversation is still open: whoever hears this decides whether it goes on. */
  unreadable(error: Error): void;
  /** What came was read, and this process failed over it. The conversation is still open: whoever hears this ends it. */
  failed(error: Error): void;
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
    let frame: Frame;
    let message: Message | undefined;
    try {
      frame = decodeFrame(data, fds.length);
      message = readMessage(frame.type, frame.body);
    } catch (error) {
      closeAll(fds);
      this.#events.unreadable(asError(error));
      return;
    }
    if (message) this.#handle({ message, seq: frame.seq, fds });
    else {
      closeAll(fds);
      this.send({ type: 'ERR', unknown: frame.type, of: frame.seq });
    }
  }

  /** Nothing may be thrown into the addon, which has called. */
  #handle(incoming: Incoming): void {
    try {
      this.#events.incoming(incoming);
    } catch (error) {
      this.#events.failed(asError(error));
    }
  }

  /** Connections for which this process has no descriptors left can be refused one by one; without anything else it cannot go on. */
  #onCut(data: Uint8Array, what: 'data' | 'descriptors'): void {
    const lost = new FrameError('TRUNCATED', `the kernel cut off ${what}`);
    let frame: Frame | undefined;
    let message: Message | undefined;
    try {
      frame = what === 'descriptors' ? withoutDescriptors(data) : undefined;
      message = frame && readMessage(frame.type, frame.body);
    } catch {
      frame = undefined;
    }
    if (frame && message?.type === 'CONNS') this.#handle({ message, seq: frame.seq, fds: [] });
    else this.#events.unreadable(lost);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
