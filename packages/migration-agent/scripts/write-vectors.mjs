#!/usr/bin/env node
// Writes docs/reference/takeover-protocol-vectors.json: frames for whoever implements the protocol in another language.
import { writeFileSync } from 'node:fs';
import { proofOf } from '../dist/protocol/authentication.js';
import { encodeFrame, FRAME_TYPE } from '../dist/protocol/frame.js';
import { writeBody } from '../dist/protocol/messages.js';

const conversation = {
  takerInstance: '11'.repeat(16),
  takerNonce: '22'.repeat(32),
  giverInstance: '33'.repeat(16),
  giverNonce: '44'.repeat(32),
};
const secret = Buffer.alloc(32, 7);
const proof = (side) => proofOf(secret, side, conversation);

const MESSAGES = [
  [
    'HELLO of a successor',
    {
      type: 'HELLO',
      min: 1,
      max: 1,
      instance: conversation.takerInstance,
      appVersion: 'v2',
      role: 'successor',
      features: ['conns', 'stats'],
      nonce: conversation.takerNonce,
      wants: ['web'],
    },
    0,
  ],
  [
    "CHALLENGE with the old side's proof",
    {
      type: 'CHALLENGE',
      version: 1,
      instance: conversation.giverInstance,
      appVersion: 'v1',
      generation: 3,
      features: ['conns', 'stats'],
      nonce: conversation.giverNonce,
      proof: proof('giver'),
    },
    0,
  ],
  ["AUTH with the new side's proof", { type: 'AUTH', mac: proof('taker') }, 0],
  [
    'OFFER of a TCP and a Unix listener',
    {
      type: 'OFFER',
      index: 0,
      total: 1,
      state: true,
      listeners: [
        { name: 'web', kind: 'tcp', backlog: 4096, cookie: '1f', host: '127.0.0.1', port: 8080 },
        { name: 'admin', kind: 'unix', backlog: 128, cookie: '20', path: '/run/admin.sock.0a1b2c3d' },
      ],
    },
    2,
  ],
  ['ACK of that OFFER', { type: 'ACK', of: 2, refused: [] }, 0],
  ['STATE with one memfd', { type: 'STATE', ticketKeys: {}, counters: { requests: 12 }, appBytes: 5 }, 1],
  ['PROGRESS', { type: 'PROGRESS', stage: 'init' }, 0],
  ['PREPARED', { type: 'PREPARED', adopted: 1, unwanted: ['admin'], errors: [] }, 0],
  ['GO, which has no body', { type: 'GO' }, 0],
  ['SERVING', { type: 'SERVING' }, 0],
  ['COMMITTED', { type: 'COMMITTED', connections: 17, generation: 3 }, 0],
  ['PING', { type: 'PING' }, 0],
  ['PONG', { type: 'PONG' }, 0],
  [
    'CONNS with one idle HTTP/1.1 connection',
    { type: 'CONNS', connections: [{ listener: 'web', protocol: 'http1' }] },
    1,
  ],
  ['STATS', { type: 'STATS', counters: { requests: 2 }, open: 1 }, 0],
  ['RESUMED', { type: 'RESUMED', cause: 'no sign of life' }, 0],
  ['RELEASE', { type: 'RELEASE' }, 0],
  ['BYE', { type: 'BYE', reason: 'drained', migrated: 16, drained: 1, killed: 0 }, 0],
  ['ABORT', { type: 'ABORT', reason: 'busy', message: 'another process is taking over', retryAfterMs: 100 }, 0],
  ['ERR', { type: 'ERR', unknown: 200, of: 9 }, 0],
];

const frames = MESSAGES.map(([name, message, fds], index) => {
  const { type, ...body } = message;
  const frame = {
    version: 1,
    type: FRAME_TYPE[type],
    flags: 0,
    seq: index + 1,
    body: writeBody(message),
    fdCount: fds,
  };
  return { name, hex: encodeFrame(frame).toString('hex'), fds, frame: { version: 1, type, seq: index + 1, body } };
});
const ping = Buffer.from(frames.find(({ name }) => name === 'PING').hex, 'hex');
const withByte = (offset, value) => {
  const copy = Buffer.from(ping);
  copy[offset] = value;
  return copy.toString('hex');
};
frames.push({
  name: 'a type of a later version',
  hex: withByte(5, 200),
  fds: 0,
  frame: { version: 1, type: 'unknown', seq: 12, body: {} },
});

const frameOf = (type, text, fds = 0) =>
  encodeFrame({ version: 1, type, flags: 0, seq: 1, body: Buffer.from(text), fdCount: fds }).toString('hex');
const withFlags = Buffer.from(ping);
withFlags[7] = 1;
withFlags[19] = 1;
const least = { min: 1, max: 2, instance: conversation.takerInstance, nonce: conversation.takerNonce };
const tolerated = [
  {
    name: 'flags and reserved bytes of a later version',
    hex: withFlags.toString('hex'),
    type: 'PING',
    seq: 12,
    body: {},
  },
  { name: 'an empty object where nothing is needed', hex: frameOf(FRAME_TYPE.GO, '{}'), type: 'GO', body: {} },
  {
    name: 'a field of a later version',
    hex: frameOf(FRAME_TYPE.PROGRESS, '{"stage":"init","new":[1]}'),
    type: 'PROGRESS',
    body: { stage: 'init' },
  },
  {
    name: 'HELLO with no more than must be there',
    hex: frameOf(FRAME_TYPE.HELLO, JSON.stringify(least)),
    type: 'HELLO',
    body: { ...least, appVersion: '', role: 'successor', features: [], wants: [] },
  },
].map(({ name, hex, type, seq = 1, body }) => ({ name, hex, fds: 0, frame: { version: 1, type, seq, body } }));

const badBody = (name, type, text) => ({
  name,
  hex: frameOf(type, text),
  fds: 0,
  code: 'BAD_BODY',
});
const withOneFd = Buffer.from(ping);
withOneFd[17] = 1;
const refused = [
  { name: 'less than a header', hex: ping.subarray(0, 19).toString('hex'), fds: 0, code: 'BAD_LENGTH' },
  { name: 'another magic', hex: withByte(0, 0x58), fds: 0, code: 'BAD_MAGIC' },
  { name: 'version 0', hex: withByte(4, 0), fds: 0, code: 'BAD_VERSION' },
  { name: 'a length that is not there', hex: withByte(15, 1), fds: 0, code: 'BAD_LENGTH' },
  { name: 'a descriptor that did not come', hex: withByte(17, 1), fds: 0, code: 'BAD_FDS' },
  { name: 'a descriptor that was not announced', hex: ping.toString('hex'), fds: 1, code: 'BAD_FDS' },
  { name: 'a descriptor on a type that carries none', hex: withOneFd.toString('hex'), fds: 1, code: 'BAD_FDS' },
  badBody('no JSON', FRAME_TYPE.HELLO, '{'),
  badBody('JSON that is no object', FRAME_TYPE.STATS, '[]'),
  badBody('null', FRAME_TYPE.GO, 'null'),
  badBody('no UTF-8', FRAME_TYPE.PROGRESS, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
  badBody('a field of the wrong type', FRAME_TYPE.HELLO, JSON.stringify({ ...least, min: 'x' })),
  badBody('a field that must be there and is not', FRAME_TYPE.AUTH, '{}'),
];

const out = new URL('../../../docs/reference/takeover-protocol-vectors.json', import.meta.url);
const authentication = {
  secret: secret.toString('hex'),
  ...conversation,
  takerProof: proof('taker'),
  giverProof: proof('giver'),
};
writeFileSync(out, `${JSON.stringify({ authentication, frames, tolerated, refused }, null, 2)}\n`);
