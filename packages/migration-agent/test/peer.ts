import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Channel } from '../src/native/channel.js';
import { type Conversation, proofOf } from '../src/protocol/authentication.js';
import { decodeFrame, FRAME_TYPE } from '../src/protocol/frame.js';
import { HEADER_BYTES, MAGIC } from '../src/protocol/limits.js';
import { type Message, readMessage, writeBody } from '../src/protocol/messages.js';
import { until } from './processes.js';

/** A peer that sends whatever bytes it likes, and hears what is answered. */
export class Peer {
  readonly heard: Message[] = [];
  readonly #channel: Channel;
  ended = false;

  constructor(directory: string) {
    this.#channel = Channel.connect(join(directory, 'takeover.sock'), {
      packet: (data, fds) => {
        const frame = decodeFrame(data, fds.length);
        const message = readMessage(frame.type, frame.body);
        if (message) this.heard.push(message);
        for (const fd of fds) closeSync(fd);
      },
      cut: () => undefined,
      end: () => {
        this.ended = true;
      },
    });
  }

  raw(bytes: Uint8Array, fds: number[] = []): void {
    this.#channel.send(bytes, fds);
  }

  /** A frame with everything about it free to be wrong. */
  frame(
    type: number,
    body: Uint8Array,
    changes: { magic?: number; version?: number; length?: number; fds?: number[] } = {},
  ): void {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(changes.magic ?? MAGIC, 0);
    header.writeUInt8(changes.version ?? 1, 4);
    header.writeUInt8(type, 5);
    header.writeUInt32BE(changes.length ?? body.length, 12);
    header.writeUInt16BE(changes.fds?.length ?? 0, 16);
    this.raw(Buffer.concat([header, body]), changes.fds);
  }

  say(message: Message): void {
    this.frame(FRAME_TYPE[message.type], writeBody(message));
  }

  async hears<T extends Message['type']>(type: T): Promise<Message & { type: T }> {
    await until(() => this.heard.some((message) => message.type === type), `${type} is heard`);
    return this.heard.find((message) => message.type === type) as Message & { type: T };
  }

  /** Goes as far as an honest peer that knows the secret. */
  async authenticate(directory: string): Promise<void> {
    const taker = { takerInstance: randomBytes(16).toString('hex'), takerNonce: randomBytes(32).toString('hex') };
    this.say(hello(taker.takerInstance, taker.takerNonce));
    const { instance, nonce } = await this.hears('CHALLENGE');
    const conversation: Conversation = { ...taker, giverInstance: instance, giverNonce: nonce };
    this.say({ type: 'AUTH', mac: proofOf(readFileSync(join(directory, 'secret')), 'taker', conversation) });
    await this.hears('OFFER');
  }

  /** Goes on to be the owner, as far as the old side knows. */
  async commit(directory: string): Promise<void> {
    await this.authenticate(directory);
    this.say({ type: 'ACK', of: 2, refused: [] });
    this.say({ type: 'PREPARED', adopted: 1, unwanted: [], errors: [] });
    await this.hears('GO');
    this.say({ type: 'SERVING' });
    await this.hears('COMMITTED');
  }

  close(): void {
    this.#channel.close();
  }
}

export function hello(instance: string, nonce: string): Message {
  return { type: 'HELLO', min: 1, max: 1, instance, appVersion: '', role: 'successor', features: [], nonce, wants: [] };
}

/** Descriptors of a file, which no frame should carry. */
export function withFile(use: (fd: number) => void): void {
  const fd = openSync('/dev/null', 'r');
  use(fd);
  closeSync(fd);
}

/** Mostly frames that look right, with a random field, type, body or descriptor. */
function sendRandom(peer: Peer, random: () => number): void {
  const types = Object.values(FRAME_TYPE);
  const type = random() < 0.1 ? Math.floor(random() * 256) : types[Math.floor(random() * types.length)]!;
  const bodies = [
    '',
    '{}',
    '{"of":1}',
    '{"mac":"00"}',
    '{"errors":[1]}',
    '[]',
    'null',
    '{"connections":[{}]}',
    '"',
    '{"reason":7}',
  ];
  const body = Buffer.from(bodies[Math.floor(random() * bodies.length)]!);
  const magic = random() < 0.02 ? 1 : MAGIC;
  if (random() < 0.05) withFile((fd) => peer.frame(type, body, { magic, fds: [fd] }));
  else peer.frame(type, body, { magic });
}

/** Peers that send random frames, every second one of them with the secret. */
export async function floodWithRandom(directory: string, peers: number, framesEach: number): Promise<void> {
  const random = mulberry32(20261122);
  for (let round = 0; round < peers; round++) {
    const peer = new Peer(directory);
    if (round % 2 === 0) await peer.authenticate(directory).catch(() => undefined);
    for (let i = 0; i < framesEach && !peer.ended; i++) sendRandom(peer, random);
    peer.close();
  }
}

/** Resolves when a peer that gave a wrong proof was let go; tells why, and what it was sent until then. */
export async function refusedForItsProof(directory: string): Promise<{ reason: string; sent: string[] }> {
  const peer = new Peer(directory);
  peer.say(hello('ab'.repeat(16), 'cd'.repeat(32)));
  await peer.hears('CHALLENGE');
  peer.say({ type: 'AUTH', mac: '0'.repeat(64) });
  const { reason } = await peer.hears('ABORT');
  await until(() => peer.ended, 'the connection is closed');
  return { reason, sent: peer.heard.map(({ type }) => type) };
}

/** A small seeded generator, so that a failure can be repeated. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
