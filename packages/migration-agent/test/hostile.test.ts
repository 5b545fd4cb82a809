import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { AF_UNIX, addon, SOCK_DGRAM } from '../src/native/addon.js';
import { Channel } from '../src/native/channel.js';
import { type Conversation, proofOf } from '../src/protocol/authentication.js';
import { decodeFrame, FRAME_TYPE } from '../src/protocol/frame.js';
import { HEADER_BYTES, MAGIC } from '../src/protocol/limits.js';
import { type Message, readMessage, writeBody } from '../src/protocol/messages.js';
import { Load } from './load.js';
import { type Fixture, openDescriptors, Pod, until } from './processes.js';

/** A peer that sends whatever bytes it likes, and hears what is answered. */
class Peer {
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

  close(): void {
    this.#channel.close();
  }
}

function hello(instance: string, nonce: string): Message {
  return { type: 'HELLO', min: 1, max: 1, instance, appVersion: '', role: 'successor', features: [], nonce, wants: [] };
}

let pod: Pod;
let old: Fixture;
let load: Load;
beforeEach(async () => {
  pod = await Pod.create();
  old = pod.server('old', { limits: { connectMs: 300, offerMs: 300 } });
  await old.heard('owner');
  load = new Load({ port: pod.port, short: 2, pauseMs: 3 });
  await load.answered(5);
});
afterEach(async () => {
  await load.stop();
  await pod.close();
});

/** Whatever was done to it: it serves, leaks nothing, and hands over to an honest successor. */
async function unharmed(descriptors: number): Promise<void> {
  await load.answered(10);
  expect(old.running).toBe(true);
  // Two clients are connected at most while this looks.
  await until(() => openDescriptors(old.child.pid!) <= descriptors, 'every descriptor is closed');
  await pod.server('new').heard('owner');
  await load.answered(10);
  expect(load.seen.refused).toBe(0);
  expect(load.seen.otherErrors).toEqual([]);
}

function descriptorsNow(): number {
  return openDescriptors(old.child.pid!) + 2;
}

describe('a peer that breaks the framing is cut off', () => {
  const ping = new Uint8Array();
  test.each<[string, (peer: Peer) => void]>([
    ['less than a header', (peer) => peer.raw(Buffer.from('HTO1'))],
    ['another magic', (peer) => peer.frame(FRAME_TYPE.HELLO, ping, { magic: 0x47455420 })],
    ['version 0', (peer) => peer.frame(FRAME_TYPE.HELLO, ping, { version: 0 })],
    ['a length that lies', (peer) => peer.frame(FRAME_TYPE.HELLO, ping, { length: 4_000_000_000 })],
    ['a body above its cap', (peer) => peer.frame(FRAME_TYPE.HELLO, Buffer.alloc(20_000, ' '))],
    ['more than any frame may have', (peer) => peer.raw(Buffer.alloc(100_000, 'x'))],
    ['no JSON', (peer) => peer.frame(FRAME_TYPE.HELLO, Buffer.from('{'))],
    ['no UTF-8', (peer) => peer.frame(FRAME_TYPE.HELLO, Buffer.from([0xff, 0xfe]))],
    ['fields of the wrong type', (peer) => peer.frame(FRAME_TYPE.HELLO, Buffer.from('{"min":"x"}'))],
    [
      'descriptors where none belong',
      (peer) => withFile((fd) => peer.frame(FRAME_TYPE.HELLO, ping, { fds: [fd, fd, fd] })),
    ],
    ['descriptors that are not announced', (peer) => withFile((fd) => peer.raw(Buffer.from('x'), [fd]))],
    [
      'a connection frame before anything else',
      (peer) => withFile((fd) => peer.frame(FRAME_TYPE.CONNS, Buffer.from('{"connections":[]}'), { fds: [fd] })),
    ],
  ])(
    '%s',
    async (_, misbehave) => {
      const before = descriptorsNow();
      const peer = new Peer(pod.directory);
      misbehave(peer);
      await until(() => peer.ended, 'the connection is closed');
      await unharmed(before);
    },
    30_000,
  );
});

function withFile(use: (fd: number) => void): void {
  const fd = openSync('/dev/null', 'r');
  use(fd);
  closeSync(fd);
}

describe('a peer that does not know the secret', () => {
  test('is shown no socket and counted', async () => {
    const peer = new Peer(pod.directory);
    peer.say(hello('ab'.repeat(16), 'cd'.repeat(32)));
    await peer.hears('CHALLENGE');
    peer.say({ type: 'AUTH', mac: '0'.repeat(64) });
    expect((await peer.hears('ABORT')).reason).toBe('auth-failed');
    await until(() => peer.ended, 'the connection is closed');
    expect(peer.heard.some(({ type }) => type === 'OFFER')).toBe(false);
    await unharmed(descriptorsNow());
  }, 30_000);

  test('of another user cannot even connect to the socket, or is refused by its user id', async () => {
    // As root the file mode does not hold, the check of SO_PEERCRED does; as anybody else the mode does.
    const { mode } = (await import('node:fs')).statSync(join(pod.directory, 'takeover.sock'));
    expect(mode & 0o777).toBe(0o600);
  });
});

describe('a peer that stalls', () => {
  test('is closed when its step has taken too long, and blocks nobody meanwhile', async () => {
    const before = descriptorsNow();
    const silent = Array.from({ length: 5 }, () => new Peer(pod.directory));
    const half = new Peer(pod.directory);
    half.say(hello('ab'.repeat(16), 'cd'.repeat(32)));
    await until(() => [...silent, half].every(({ ended }) => ended), 'all are closed');
    await unharmed(before);
  }, 30_000);

  test('with the secret, in the middle of the offer: the next one gets its turn', async () => {
    const before = descriptorsNow();
    const peer = new Peer(pod.directory);
    await peer.authenticate(pod.directory);
    await until(() => peer.ended, 'it is closed');
    await unharmed(before);
  }, 30_000);

  test('a flood of connections does not keep an honest successor out', async () => {
    const before = descriptorsNow();
    const flood: Peer[] = [];
    for (let i = 0; i < 200; i++) {
      try {
        flood.push(new Peer(pod.directory));
      } catch {
        // The backlog is full, which is an answer too.
      }
    }
    await until(() => flood.every(({ ended }) => ended), 'all are closed');
    await unharmed(before);
  }, 30_000);
});

describe('a peer that is newer', () => {
  test('hears ERR for a type that is not known, and can go on', async () => {
    const peer = new Peer(pod.directory);
    peer.frame(200, Buffer.from('{"what":"is this"}'));
    expect(await peer.hears('ERR')).toMatchObject({ unknown: 200 });
    peer.say(hello('ab'.repeat(16), 'cd'.repeat(32)));
    await peer.hears('CHALLENGE');
    peer.close();
    await unharmed(descriptorsNow());
  }, 30_000);
});

describe('a peer that knows the secret and goes mad', () => {
  test('20,000 random frames before and after authentication harm nothing', async () => {
    const before = descriptorsNow();
    const random = mulberry32(20261122);
    for (let round = 0; round < 100; round++) {
      const peer = new Peer(pod.directory);
      if (round % 2 === 0) await peer.authenticate(pod.directory).catch(() => undefined);
      for (let i = 0; i < 200 && !peer.ended; i++) sendRandom(peer, random);
      peer.close();
    }
    await unharmed(before);
  }, 60_000);
});

test('the taker refuses a listener that is a file, a datagram socket or another socket than announced', async () => {
  // A false holder that knows the secret stands in for the old one.
  const { Endpoint } = await import('../src/handover/endpoint.js');
  const secret = readFileSync(join(pod.directory, 'secret'));
  const file = openSync('/dev/null', 'r');
  const datagram = addon().socket(AF_UNIX, SOCK_DGRAM);
  const aborts: string[] = [];
  let offered = file;
  const holder = new Endpoint(
    join(pod.directory, 'takeover.sock'),
    (fd) => {
      const channel: Channel = new Channel(fd, {
        end: () => undefined,
        packet: (data, fds) => {
          const frame = decodeFrame(data, fds.length);
          const message = readMessage(frame.type, frame.body)!;
          if (message.type === 'HELLO') {
            const conversation: Conversation = {
              takerInstance: message.instance,
              takerNonce: message.nonce,
              giverInstance: 'ee'.repeat(16),
              giverNonce: 'ff'.repeat(32),
            };
            reply(channel, {
              type: 'CHALLENGE',
              version: 1,
              instance: conversation.giverInstance,
              appVersion: '',
              generation: 1,
              features: [],
              nonce: conversation.giverNonce,
              proof: proofOf(secret, 'giver', conversation),
            });
          } else if (message.type === 'AUTH') {
            const record = {
              name: 'web',
              kind: 'tcp' as const,
              host: '127.0.0.1',
              port: pod.port,
              backlog: 1,
              cookie: '1',
            };
            reply(channel, { type: 'OFFER', index: 0, total: 1, state: false, listeners: [record] }, [offered]);
          } else if (message.type === 'PREPARED') {
            aborts.push(...message.errors);
            reply(channel, {
              type: 'ABORT',
              reason: 'listener-fault',
              message: message.errors.join(),
              retryAfterMs: 0,
            });
          }
        },
      });
    },
    () => 0,
  );
  const limits = { coldStartMs: 200 };
  for (const fd of [file, datagram]) {
    offered = fd;
    const victim = pod.server('victim', { limits });
    await victim.heard('failed');
    expect((await victim.exited).code).toBe(1);
  }
  holder.close();
  closeSync(file);
  addon().close(datagram);
}, 30_000);

function reply(channel: Channel, message: Message, fds: number[] = []): void {
  const body = writeBody(message);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(MAGIC, 0);
  header.writeUInt8(1, 4);
  header.writeUInt8(FRAME_TYPE[message.type], 5);
  header.writeUInt32BE(1, 8);
  header.writeUInt32BE(body.length, 12);
  header.writeUInt16BE(fds.length, 16);
  channel.send(Buffer.concat([header, body]), fds);
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
