/**
 * The messages of Envoy's hot restart, protocol number 11: a request or a reply, as protobuf, behind a length of eight bytes.
 *
 * Only what an agent needs is here; what it does not know it passes over, as protobuf wants it.
 */
export type HotRestartRequest =
  | { ask: 'listen-socket'; address: string; worker: number; namespace: string }
  | { ask: 'shutdown-admin' | 'stats' | 'drain-listeners' | 'terminate' | 'forwarded-udp-packet' | 'test-connection' }
  | { ask: 'unknown'; field: number };

const REQUEST_FIELDS = {
  'listen-socket': 1,
  'shutdown-admin': 2,
  stats: 3,
  'drain-listeners': 4,
  terminate: 5,
  'forwarded-udp-packet': 6,
  'test-connection': 7,
} as const;

const LENGTH_BYTES = 8;

/** The most that a peer may send in one message; requests are below 300 bytes. */
export const MAX_MESSAGE_BYTES = 64 * 1024;

/** A message cannot be read: it breaks protobuf's rules, or says another length than it has. */
export class HotRestartError extends Error {}

/** Takes the length off. @throws HotRestartError. */
export function lengthOf(head: Uint8Array): number {
  if (head.length < LENGTH_BYTES) throw new HotRestartError('shorter than its length field');
  const length = Buffer.from(head.buffer, head.byteOffset, LENGTH_BYTES).readBigUInt64BE();
  if (length > BigInt(MAX_MESSAGE_BYTES)) throw new HotRestartError(`${length} bytes announced`);
  return LENGTH_BYTES + Number(length);
}

/** The request in a message, or undefined when it is something else. @throws HotRestartError. */
export function readRequest(message: Uint8Array): HotRestartRequest | undefined {
  const request = bytesOf(fields(message.subarray(LENGTH_BYTES)).get(1));
  if (!request) return undefined;
  const [entry] = fields(request);
  if (!entry) return undefined;
  const [field, value] = entry;
  const name = Object.entries(REQUEST_FIELDS).find(([, number]) => number === field)?.[0];
  if (name === 'listen-socket') {
    const asked = fields(bytesOf(value) ?? new Uint8Array());
    return {
      ask: 'listen-socket',
      address: textOf(asked.get(1)),
      worker: numberOf(asked.get(2)),
      namespace: textOf(asked.get(3)),
    };
  }
  return name === undefined ? { ask: 'unknown', field } : ({ ask: name } as HotRestartRequest);
}

/** Whether a message is the reply to a request for a socket; the descriptor itself comes beside it. */
export function isSocketReply(message: Uint8Array): boolean {
  const reply = bytesOf(fields(message.subarray(LENGTH_BYTES)).get(2));
  return reply !== undefined && fields(reply).has(1);
}

export function socketRequest(address: string, worker: number): Uint8Array {
  const asked = [textField(1, address), ...(worker > 0 ? [numberField(2, worker)] : [])];
  return request('listen-socket', Buffer.concat(asked));
}

export function drainRequest(): Uint8Array {
  return request('drain-listeners');
}

/** @param fd -1: the peer has to bind by itself; else the descriptor that goes with the message. */
export function socketReply(fd: number): Uint8Array {
  return reply(1, numberField(1, fd));
}

/** @param reusePort what `enable_reuse_port` means in listeners that do not say it */
export function adminReply(startedAtSeconds: number, reusePort: boolean): Uint8Array {
  const since = numberField(1, startedAtSeconds);
  return reply(2, reusePort ? Buffer.concat([since, numberField(2, 1)]) : since);
}

export function emptyStatsReply(): Uint8Array {
  return reply(3);
}

export function testReply(): Uint8Array {
  return reply(4);
}

/** To what this side does not know. */
export function notRecognized(): Uint8Array {
  return framed(numberField(3, 1));
}

function request(name: keyof typeof REQUEST_FIELDS, body: Uint8Array = new Uint8Array()): Uint8Array {
  return framed(bytesField(1, bytesField(REQUEST_FIELDS[name], body)));
}

function reply(field: number, body: Uint8Array = new Uint8Array()): Uint8Array {
  return framed(bytesField(2, bytesField(field, body)));
}

function framed(message: Uint8Array): Uint8Array {
  const out = Buffer.alloc(LENGTH_BYTES + message.length);
  out.writeBigUInt64BE(BigInt(message.length));
  out.set(message, LENGTH_BYTES);
  return out;
}

type Value = bigint | Uint8Array;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** The fields of one message by number; of a repeated one the last. */
function fields(bytes: Uint8Array): Map<number, Value> {
  const out = new Map<number, Value>();
  let at = 0;
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new HotRestartError('a field is longer than its message');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(1)[0]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new HotRestartError('a number does not end');
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === VARINT) out.set(field, varint());
    else if (type === BYTES) out.set(field, take(Number(varint())));
    else if (type === FIXED64 || type === FIXED32) take(type === FIXED64 ? 8 : 4);
    else throw new HotRestartError(`field ${field} has the unknown type ${type}`);
  }
  return out;
}

function bytesOf(value: Value | undefined): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

function textOf(value: Value | undefined): string {
  return Buffer.from(bytesOf(value) ?? []).toString('utf8');
}

function numberOf(value: Value | undefined): number {
  return typeof value === 'bigint' ? Number(value) : 0;
}

function varintOf(value: bigint): Uint8Array {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    out.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Uint8Array.from(out);
}

function numberField(field: number, value: number): Uint8Array {
  return Buffer.concat([varintOf(BigInt(field * 8 + VARINT)), varintOf(BigInt(value))]);
}

function bytesField(field: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([varintOf(BigInt(field * 8 + BYTES)), varintOf(BigInt(value.length)), value]);
}

function textField(field: number, value: string): Uint8Array {
  return bytesField(field, Buffer.from(value, 'utf8'));
}
