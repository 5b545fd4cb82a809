import { count, type Fields, hex, list, numbers, object, oneOf, optional, text, texts } from './fields.js';
import { FRAME_TYPE, type FrameTypeName } from './frame.js';
import { MAX_FDS_PER_FRAME, MAX_LISTENERS, MAX_STATE_BYTES } from './limits.js';

/** What an OFFER says of one descriptor: enough to check that it is what it claims to be. */
export interface ListenerRecord {
  name: string;
  kind: 'tcp' | 'udp' | 'unix';
  /** TCP and UDP. */
  host?: string;
  port?: number;
  /** Unix. */
  path?: string;
  backlog: number;
  /** SO_COOKIE in hexadecimal: the kernel's own name for this socket. */
  cookie: string;
}

/** What a CONNS frame says of one migrated connection. */
export interface ConnectionRecord {
  listener: string;
  protocol: 'http1' | 'hook';
  /** Base64, from `migrateConnection`. */
  meta?: string;
}

/** Whether the peer means to serve, or only to keep duplicates. */
export type PeerRole = 'successor' | 'custodian';

/** Bodies by type, as docs/reference/takeover-protocol.md describes them. */
export interface MessageBodies {
  HELLO: {
    min: number;
    max: number;
    instance: string;
    appVersion: string;
    role: PeerRole;
    features: string[];
    nonce: string;
    wants: string[];
  };
  CHALLENGE: {
    version: number;
    instance: string;
    appVersion: string;
    generation: number;
    features: string[];
    nonce: string;
    proof: string;
  };
  AUTH: { mac: string };
  OFFER: { index: number; total: number; state: boolean; listeners: ListenerRecord[] };
  STATE: { ticketKeys: Record<string, string>; counters: Record<string, number>; appBytes: number };
  PREPARED: { adopted: number; unwanted: string[]; errors: string[] };
  GO: Record<never, never>;
  SERVING: Record<never, never>;
  COMMITTED: { connections: number; generation: number };
  PING: Record<never, never>;
  PONG: Record<never, never>;
  CONNS: { connections: ConnectionRecord[] };
  STATS: { counters: Record<string, number>; open: number };
  BYE: { reason: string; migrated: number; drained: number; killed: number };
  ABORT: { reason: string; message: string; retryAfterMs: number };
  ACK: { of: number; refused: number[] };
  PROGRESS: { stage: string };
  RESUMED: { cause: string };
  RELEASE: Record<never, never>;
  ERR: { unknown: number; of: number };
}

export type Message = { [T in FrameTypeName]: { type: T } & MessageBodies[T] }[FrameTypeName];

const name = text(128);
const names = list(name, MAX_LISTENERS);
const features = list(text(32), 32);

function listenerRecord(value: unknown, field: string): ListenerRecord {
  const f = object(value, field);
  const kind = oneOf('tcp', 'udp', 'unix')(f.kind, `${field}.kind`);
  const base = {
    name: name(f.name, `${field}.name`),
    kind,
    backlog: count(1 << 20)(f.backlog, `${field}.backlog`),
    cookie: text(16)(f.cookie, `${field}.cookie`),
  };
  if (kind === 'unix') return { ...base, path: text(108)(f.path, `${field}.path`) };
  return { ...base, host: text(64)(f.host, `${field}.host`), port: count(65535)(f.port, `${field}.port`) };
}

function connectionRecord(value: unknown, field: string): ConnectionRecord {
  const f = object(value, field);
  const meta = optional(f.meta, `${field}.meta`, text(4096), undefined);
  return {
    listener: name(f.listener, `${field}.listener`),
    protocol: oneOf('http1', 'hook')(f.protocol, `${field}.protocol`),
    ...(meta === undefined ? {} : { meta }),
  };
}

const READERS: { [T in FrameTypeName]: (f: Fields) => MessageBodies[T] } = {
  HELLO: (f) => ({
    min: count(255)(f.min, 'min'),
    max: count(255)(f.max, 'max'),
    instance: hex(32)(f.instance, 'instance'),
    appVersion: optional(f.appVersion, 'appVersion', text(), ''),
    role: optional(f.role, 'role', oneOf('successor', 'custodian'), 'successor' as const),
    features: optional(f.features, 'features', features, []),
    nonce: hex(64)(f.nonce, 'nonce'),
    wants: optional(f.wants, 'wants', names, []),
  }),
  CHALLENGE: (f) => ({
    version: count(255)(f.version, 'version'),
    instance: hex(32)(f.instance, 'instance'),
    appVersion: optional(f.appVersion, 'appVersion', text(), ''),
    generation: optional(f.generation, 'generation', count(), 0),
    features: optional(f.features, 'features', features, []),
    nonce: hex(64)(f.nonce, 'nonce'),
    proof: hex(64)(f.proof, 'proof'),
  }),
  AUTH: (f) => ({ mac: hex(64)(f.mac, 'mac') }),
  OFFER: (f) => ({
    index: count(MAX_LISTENERS)(f.index, 'index'),
    total: count(MAX_LISTENERS)(f.total, 'total'),
    state: f.state === true,
    listeners: list(listenerRecord, MAX_FDS_PER_FRAME)(f.listeners, 'listeners'),
  }),
  STATE: (f) => ({
    ticketKeys: optional(f.ticketKeys, 'ticketKeys', texts(MAX_LISTENERS, 64), {}),
    counters: optional(f.counters, 'counters', numbers(4096), {}),
    appBytes: optional(f.appBytes, 'appBytes', count(MAX_STATE_BYTES), 0),
  }),
  PREPARED: (f) => ({
    adopted: count(MAX_LISTENERS)(f.adopted, 'adopted'),
    unwanted: optional(f.unwanted, 'unwanted', names, []),
    errors: optional(f.errors, 'errors', list(text(512), MAX_LISTENERS), []),
  }),
  GO: () => ({}),
  SERVING: () => ({}),
  COMMITTED: (f) => ({
    connections: optional(f.connections, 'connections', count(), 0),
    generation: optional(f.generation, 'generation', count(), 0),
  }),
  PING: () => ({}),
  PONG: () => ({}),
  CONNS: (f) => ({ connections: list(connectionRecord, MAX_FDS_PER_FRAME)(f.connections, 'connections') }),
  STATS: (f) => ({
    counters: optional(f.counters, 'counters', numbers(4096), {}),
    open: optional(f.open, 'open', count(), 0),
  }),
  BYE: (f) => ({
    reason: optional(f.reason, 'reason', text(), ''),
    migrated: optional(f.migrated, 'migrated', count(), 0),
    drained: optional(f.drained, 'drained', count(), 0),
    killed: optional(f.killed, 'killed', count(), 0),
  }),
  ABORT: (f) => ({
    reason: text(64)(f.reason, 'reason'),
    message: optional(f.message, 'message', text(1024), ''),
    retryAfterMs: optional(f.retryAfterMs, 'retryAfterMs', count(3_600_000), 0),
  }),
  ACK: (f) => ({
    of: count()(f.of, 'of'),
    refused: optional(f.refused, 'refused', list(count(MAX_FDS_PER_FRAME), MAX_FDS_PER_FRAME), []),
  }),
  PROGRESS: (f) => ({ stage: optional(f.stage, 'stage', text(), '') }),
  RESUMED: (f) => ({ cause: optional(f.cause, 'cause', text(), '') }),
  RELEASE: () => ({}),
  ERR: (f) => ({ unknown: optional(f.unknown, 'unknown', count(255), 0), of: optional(f.of, 'of', count(), 0) }),
};

const NAME_OF = new Map<number, FrameTypeName>(
  Object.entries(FRAME_TYPE).map(([key, value]) => [value, key as FrameTypeName]),
);

/**
 * The typed message of a frame body, or undefined for a type this version does not know.
 *
 * @throws TypeError naming the field that is wrong, SyntaxError when the body is not JSON.
 */
export function readMessage(type: number, body: Uint8Array): Message | undefined {
  const known = NAME_OF.get(type);
  if (known === undefined) return undefined;
  const fields =
    body.length === 0 ? {} : object(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)), 'body');
  return { type: known, ...READERS[known](fields) } as Message;
}

/** The JSON body of a message; empty messages have no bytes at all. */
export function writeBody(message: Message): Buffer {
  const { type, ...body } = message;
  return Object.keys(body).length === 0 ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
}

/** What is said before a conversation ends for a frame that cannot be read. */
export function badFrame(message: string): Message & { type: 'ABORT' } {
  return { type: 'ABORT', reason: 'bad-frame', message: message.slice(0, 500), retryAfterMs: 0 };
}
