import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AF_UNIX, addon, SOCK_DGRAM } from '../../native/addon.js';
import { HotRestartSocket } from './hot-restart-socket.js';
import { drainRequest, MAX_MESSAGE_BYTES, socketRequest } from './messages.js';

let directory: string;
let socket: HotRestartSocket;
let peer: number;
let messages: { message: Uint8Array; fds: number[] }[];
let faults: unknown[];
let heard: () => void;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sidestep-envoy-'));
  messages = [];
  faults = [];
  heard = () => undefined;
  socket = new HotRestartSocket(
    join(directory, 'socket'),
    (message, fds) => {
      messages.push({ message, fds });
      heard();
    },
    (error) => {
      faults.push(error);
      heard();
    },
  );
  peer = addon().socket(AF_UNIX, SOCK_DGRAM);
});
afterEach(() => {
  addon().close(peer);
  socket.close();
  rmSync(directory, { recursive: true });
});

const send = (data: Uint8Array, fds: number[] = []): number => addon().sendmsg(peer, data, fds, socket.path);

/** Resolves when this many messages and faults have come. The watch alone keeps no process alive, a timer does. */
function until(count: number): Promise<void> {
  return new Promise((resolve) => {
    const alive = setInterval(() => undefined, 1_000);
    heard = () => {
      if (messages.length + faults.length < count) return;
      clearInterval(alive);
      resolve();
    };
    heard();
  });
}

const openDescriptors = (): number => readdirSync('/proc/self/fd').length;

test('only its own user may write to it', () => {
  expect(statSync(socket.path).mode & 0o777).toBe(0o600);
});

test('a message in several datagrams arrives whole', async () => {
  const long = socketRequest(`unix:///${'x'.repeat(10_000)}`, 0);
  for (let at = 0; at < long.length; at += 4096) send(long.subarray(at, at + 4096));
  await until(1);
  expect(Buffer.from(messages[0]!.message).equals(long)).toBe(true);
});

test('what cannot be read is dropped with its descriptors, and the next message arrives', async () => {
  const before = openDescriptors();
  const tooLong = Buffer.alloc(16);
  tooLong.writeBigUInt64BE(BigInt(MAX_MESSAGE_BYTES) + 1n);
  const shorterThanItSays = Buffer.concat([drainRequest(), Buffer.from('more')]);
  for (const garbage of [Buffer.from('x'), tooLong, shorterThanItSays, Buffer.alloc(5000)]) send(garbage, [peer]);
  send(drainRequest());
  await until(5);
  expect(faults).toHaveLength(4);
  expect(messages.map(({ message }) => Buffer.from(message))).toEqual([drainRequest()]);
  expect(openDescriptors()).toBe(before);
});

test('a path that no socket can have is refused with what to do', () => {
  expect(
    () =>
      new HotRestartSocket(
        join(directory, 'x'.repeat(120)),
        () => undefined,
        () => undefined,
      ),
  ).toThrow(/longer than 107/);
});
