import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AF_UNIX, addon, closeAll, orThrow, SOCK_SEQPACKET } from './addon.js';
import { Channel } from './channel.js';
import { openListener } from './listener.js';

const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const BOTH = O_NONBLOCK | O_CLOEXEC;

let directory: string;
let open: number[];
let channels: Channel[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sidestep-channel-'));
  open = [];
  channels = [];
});
afterEach(() => {
  for (const channel of channels) channel.close();
  closeAll(open);
  rmSync(directory, { recursive: true });
});

/** Two ends of one connection. */
function connection(): [number, number] {
  const path = join(directory, `door-${channels.length}`);
  const door = orThrow('socket', addon().socket(AF_UNIX, SOCK_SEQPACKET));
  const near = orThrow('socket', addon().socket(AF_UNIX, SOCK_SEQPACKET));
  orThrow('bind', addon().bindUnix(door, path));
  orThrow('listen', addon().listen(door, 1));
  orThrow('connect', addon().connectUnix(near, path));
  const far = orThrow('accept', addon().accept(door));
  addon().close(door);
  return [near, far];
}

/** What a channel reports; the descriptors that came are closed with the test. */
class Heard {
  readonly packets: { bytes: number; fds: number[] }[] = [];
  readonly cut: string[] = [];
  ends = 0;
  readonly channel: Channel;
  #wake: () => void = () => undefined;

  constructor(fd: number) {
    this.channel = new Channel(fd, {
      packet: (data, fds) => {
        open.push(...fds);
        this.packets.push({ bytes: data.length, fds });
        this.#wake();
      },
      cut: (_, what) => {
        this.cut.push(what);
        this.#wake();
      },
      end: () => {
        this.ends += 1;
        this.#wake();
      },
    });
    channels.push(this.channel);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const listener = (): number => {
  const plan = { name: 'web', kind: 'tcp' as const, host: '127.0.0.1', port: 0, path: '', backlog: 1, ipv6Only: false };
  const { fd } = openListener(plan);
  open.push(fd);
  return fd;
};

const flagsOf = (fd: number): number =>
  Number.parseInt(/^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8);

/** What is to be polled is told to the kernel when the loop comes round: after the second of these at the latest. */
async function turn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The descriptors that this process asks the kernel about, by the numbers under which it asked. */
function polled(): number[] {
  const polls = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:[eventpoll]';
    } catch {
      return false;
    }
  });
  return polls.flatMap((fd) =>
    [...readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').matchAll(/^tfd:\s+(\d+)/gm)].map(([, number]) =>
      Number(number),
    ),
  );
}

test('a message that the kernel has no room for goes later, in its turn and with its descriptors', async () => {
  const [near, far] = connection();
  const sender = new Heard(near);
  const fd = listener();
  let first = 0;
  // Each of another length, so that their order shows.
  for (; first < 10_000 && sender.channel.backlog === 0; first++)
    sender.channel.send(Buffer.alloc(1_000 + first), [fd]);
  expect(sender.channel.backlog).toBe(1);
  for (let i = 0; i < 10; i++) sender.channel.send(Buffer.alloc(1_000 + first + i), [fd]);
  const receiver = new Heard(far);
  await receiver.until(() => receiver.packets.length === first + 10);
  expect(receiver.packets.map(({ bytes }) => bytes)).toEqual(receiver.packets.map((_, i) => 1_000 + i));
  expect(receiver.packets.filter(({ fds }) => fds.length !== 1)).toEqual([]);
});

test('a message of which the kernel cuts something off is told, and the channel stays open', async () => {
  const [near, far] = connection();
  const heard = new Heard(near);
  addon().sendmsg(far, Buffer.alloc(100_000), [listener()]);
  addon().sendmsg(far, Buffer.from('whole'), []);
  await heard.until(() => heard.packets.length > 0);
  expect(heard.cut).toEqual(['data']);
  expect(heard.packets.map(({ bytes }) => bytes)).toEqual([5]);
  expect(heard.channel.open).toBe(true);
});

test('what a peer said is heard to the end, also when it ended with something unread', async () => {
  const [near, far] = connection();
  const heard = new Heard(near);
  heard.channel.send(Buffer.from('nobody reads this'));
  // More than one wake-up takes.
  for (let i = 0; i < 100; i++) addon().sendmsg(far, Buffer.alloc(100 + i), []);
  addon().close(far);
  await heard.until(() => heard.ends > 0);
  expect(heard.packets.map(({ bytes }) => bytes)).toEqual(Array.from({ length: 100 }, (_, i) => 100 + i));
});

test('a peer that dies with unread messages has ended, and broke nothing', async () => {
  const [near, far] = connection();
  const heard = new Heard(near);
  const { channel } = heard;
  channel.send(Buffer.from('nobody reads this'), [listener()]);
  addon().close(far);
  await heard.until(() => heard.ends > 0);
  expect(heard.ends).toBe(1);
  expect(channel.open).toBe(false);
});

test('a socket arrives non-blocking, and is for no child of this process', async () => {
  const [near, far] = connection();
  // Before anybody watches these two: whoever does makes them non-blocking.
  for (const end of [near, far]) expect(flagsOf(end) & BOTH).toBe(BOTH);
  const sent = listener();
  new Heard(near).channel.send(Buffer.from('x'), [sent]);
  const receiver = new Heard(far);
  await receiver.until(() => receiver.packets.length === 1);
  for (const fd of [sent, ...receiver.packets[0]!.fds]) expect(flagsOf(fd) & BOTH).toBe(BOTH);
});

test.each<[string, () => number]>([
  ['a duplicate', () => addon().dup(listener())],
  ['memory', () => addon().memfd('state', Buffer.from('x'))],
  ['a set of those that wait', () => addon().waitSet()],
])('%s is for no child of this process either', (_, make) => {
  const fd = make();
  open.push(fd);
  expect(flagsOf(fd) & O_CLOEXEC).toBe(O_CLOEXEC);
});

test('the kernel is no longer asked about a channel that is closed, although somebody else has the socket, too', async () => {
  const [near, far] = connection();
  open.push(far, addon().dup(near));
  const { channel } = new Heard(near);
  await turn();
  expect(polled()).toContain(near);
  channel.close();
  await turn();
  expect(polled()).not.toContain(near);
});
