import { AgentError, type AgentErrorCode } from '../errors.js';
import { HEADER_BYTES, MAGIC, MAX_BODY_BYTES, MAX_FDS_PER_FRAME, MAX_STATE_BODY_BYTES } from './limits.js';

/** Numbers of the message types on the wire. */
export const FRAME_TYPE = {
  HELLO: 1,
  CHALLENGE: 2,
  AUTH: 3,
  OFFER: 4,
  STATE: 5,
  PREPARED: 6,
  GO: 7,
  SERVING: 8,
  COMMITTED: 9,
  PING: 10,
  PONG: 11,
  CONNS: 12,
  STATS: 13,
  BYE: 14,
  ABORT: 15,
  ACK: 16,
  PROGRESS: 17,
  RESUMED: 18,
  RELEASE: 19,
  ERR: 20,
} as const;

export type FrameTypeName = keyof typeof FRAME_TYPE;

const CARRIES_FDS: ReadonlySet<number> = new Set([FRAME_TYPE.OFFER, FRAME_TYPE.STATE, FRAME_TYPE.CONNS]);

/** One frame as it is on the wire: fixed header, JSON body, descriptors beside it. */
export interface Frame {
  version: number;
  type: number;
  flags: number;
  seq: number;
  body: Uint8Array;
  fdCount: number;
}

/** The peer broke the framing; the connection cannot go on. `code` is one of the documented rejection words. */
export class FrameError extends AgentError {
  constructor(code: AgentErrorCode, message: string) {
    super(code, message, {
      hint: 'The peer does not speak this protocol, or speaks it wrongly; the connection is closed.',
    });
  }
}

/** The most bytes one frame of this type may have, header included. */
export function maxFrameBytes(type?: number): number {
  return HEADER_BYTES + (type === undefined || type === FRAME_TYPE.STATE ? MAX_STATE_BODY_BYTES : MAX_BODY_BYTES);
}

/** Header and body as one message. @throws FrameError `BAD_LENGTH`, `BAD_FDS` when the frame breaks its own limits. */
export function encodeFrame(frame: Frame): Buffer {
  if (frame.body.length > maxFrameBytes(frame.type) - HEADER_BYTES) {
    throw new FrameError('BAD_LENGTH', `a body of ${frame.body.length} bytes does not fit frame type ${frame.type}`);
  }
  assertFds(frame.type, frame.fdCount);
  const out = Buffer.allocUnsafe(HEADER_BYTES + frame.body.length);
  out.writeUInt32BE(MAGIC, 0);
  out.writeUInt8(frame.version, 4);
  out.writeUInt8(frame.type, 5);
  out.writeUInt16BE(frame.flags, 6);
  out.writeUInt32BE(frame.seq >>> 0, 8);
  out.writeUInt32BE(frame.body.length, 12);
  out.writeUInt16BE(frame.fdCount, 16);
  out.writeUInt16BE(0, 18);
  out.set(frame.body, HEADER_BYTES);
  return out;
}

/**
 * Reads one message. Types this version does not know pass: the session answers them with ERR and goes on.
 *
 * @throws FrameError `BAD_LENGTH`, `BAD_MAGIC`, `BAD_VERSION`, `BAD_FDS`.
 */
export function decodeFrame(message: Uint8Array, receivedFds: number): Frame {
  if (message.length < HEADER_BYTES)
    throw new FrameError('BAD_LENGTH', `${message.length} bytes are less than a header`);
  const view = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  if (view.readUInt32BE(0) !== MAGIC) throw new FrameError('BAD_MAGIC', 'the message does not begin with HTO1');
  const version = view.readUInt8(4);
  const type = view.readUInt8(5);
  const length = view.readUInt32BE(12);
  const fdCount = view.readUInt16BE(16);
  if (version === 0) throw new FrameError('BAD_VERSION', 'protocol version 0 does not exist');
  if (length !== message.length - HEADER_BYTES || message.length > maxFrameBytes(type)) {
    throw new FrameError('BAD_LENGTH', `the header says ${length} bytes, ${message.length - HEADER_BYTES} came`);
  }
  if (fdCount !== receivedFds)
    throw new FrameError('BAD_FDS', `the header says ${fdCount} descriptors, ${receivedFds} came`);
  assertFds(type, fdCount);
  return {
    version,
    type,
    flags: view.readUInt16BE(6),
    seq: view.readUInt32BE(8),
    body: view.subarray(HEADER_BYTES),
    fdCount,
  };
}

/** Reads a message whose descriptors did not fit into this process. @throws FrameError as `decodeFrame`. */
export function withoutDescriptors(message: Uint8Array): Frame {
  const announced = message.length < HEADER_BYTES ? 0 : Buffer.from(message).readUInt16BE(16);
  return decodeFrame(message, announced);
}

function assertFds(type: number, count: number): void {
  if (count > MAX_FDS_PER_FRAME || (count > 0 && !CARRIES_FDS.has(type))) {
    throw new FrameError('BAD_FDS', `frame type ${type} may not carry ${count} descriptors`);
  }
}
