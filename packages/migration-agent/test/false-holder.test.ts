import { closeSync, openSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Endpoint } from '../src/handover/endpoint.js';
import { PrivateDirectory } from '../src/handover/private-directory.js';
import { AF_INET, addon, SOCK_DGRAM, SOCK_STREAM } from '../src/native/addon.js';
import { Channel } from '../src/native/channel.js';
import { proofOf } from '../src/protocol/authentication.js';
import { decodeFrame, encodeFrame, FRAME_TYPE } from '../src/protocol/frame.js';
import { type Message, readMessage, writeBody } from '../src/protocol/messages.js';
import { Pod } from './processes.js';

let pod: Pod;
let holder: Endpoint | undefined;
beforeEach(async () => {
  pod = await Pod.create();
});
afterEach(async () => {
  holder?.close();
  await pod.close();
});

/** A holder that knows the secret and offers one descriptor as if it were the listener "web". */
function falseHolder(secret: Uint8Array, offered: number, cookie: string): Endpoint {
  const answers = (message: Message): { reply: Message; fds?: number[] } | undefined => {
    if (message.type === 'HELLO') {
      const giver = { giverInstance: 'ee'.repeat(16), giverNonce: 'ff'.repeat(32) };
      const proof = proofOf(secret, 'giver', { ...giver, takerInstance: message.instance, takerNonce: message.nonce });
      const { giverInstance: instance, giverNonce: nonce } = giver;
      return {
        reply: { type: 'CHALLENGE', version: 1, instance, appVersion: '', generation: 1, features: [], nonce, proof },
      };
    }
    if (message.type === 'AUTH') {
      const record = { name: 'web', kind: 'tcp' as const, host: '127.0.0.1', port: pod.port, backlog: 1, cookie };
      return { reply: { type: 'OFFER', index: 0, total: 1, state: false, listeners: [record] }, fds: [offered] };
    }
    if (message.type !== 'PREPARED') return undefined;
    const told = message.errors.join();
    return { reply: { type: 'ABORT', reason: 'listener-fault', message: told, retryAfterMs: 0 } };
  };
  const accepted = (fd: number): void => {
    const channel: Channel = new Channel(fd, {
      end: () => undefined,
      cut: () => undefined,
      packet: (data, fds) => {
        const frame = decodeFrame(data, fds.length);
        const { reply, fds: sent = [] } = answers(readMessage(frame.type, frame.body)!) ?? {};
        if (!reply) return;
        const header = { version: 1, type: FRAME_TYPE[reply.type], flags: 0, seq: 1, fdCount: sent.length };
        channel.send(encodeFrame({ ...header, body: writeBody(reply) }), sent);
      },
    });
  };
  return new Endpoint(new PrivateDirectory(pod.directory).takeoverPath, accepted, () => 0);
}

function listeningElsewhere(): number {
  const fd = addon().socket(AF_INET, SOCK_STREAM);
  addon().bindInet(fd, '127.0.0.1', 0, true, false);
  addon().listen(fd, 1);
  return fd;
}

test.each([
  ['a file', () => openSync('/dev/null', 'r'), 'is no socket'],
  ['a datagram socket', () => addon().socket(AF_INET, SOCK_DGRAM), 'is no tcp socket'],
  ['a socket that does not listen', () => addon().socket(AF_INET, SOCK_STREAM), 'is not listening'],
  ['another socket than announced', listeningElsewhere, 'is another one than announced'],
])('a new process that is given %s instead of its listener says so and ends', async (_, make, said) => {
  const offered = make();
  holder = falseHolder(new PrivateDirectory(pod.directory).secret, offered, 'abc');
  const victim = pod.server('victim');
  expect((await victim.heard('failed')).message).toContain(said);
  expect((await victim.exited).code).toBe(1);
  closeSync(offered);
});
