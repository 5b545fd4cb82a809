import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FRAME_TYPE } from '../src/protocol/frame.js';
import { followStatus } from '../src/status/client.js';
import { statusPath } from '../src/status/path.js';
import { Load } from './load.js';
import { floodWithRandom, hello, Peer, refusedForItsProof, withFile } from './peer.js';
import { type Fixture, openDescriptors, Pod, until } from './processes.js';

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
  ])('%s', async (_, misbehave) => {
    const before = descriptorsNow();
    const peer = new Peer(pod.directory);
    misbehave(peer);
    await until(() => peer.ended, 'the connection is closed');
    await unharmed(before);
  });
});

describe('a peer that does not know the secret', () => {
  test('is shown no socket and counted', async () => {
    const before = descriptorsNow();
    const refusal = await refusedForItsProof(pod.directory);
    expect(refusal).toEqual({ reason: 'auth-failed', sent: ['CHALLENGE', 'ABORT'] });
    await unharmed(before);
  });

  test('of another user cannot even connect to the socket, or is refused by its user id', async () => {
    // As root the file mode does not hold, the check of SO_PEERCRED does; as anybody else the mode does.
    const { mode } = statSync(join(pod.directory, 'takeover.sock'));
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
  });

  test('with the secret, in the middle of the offer: the next one gets its turn', async () => {
    const before = descriptorsNow();
    const peer = new Peer(pod.directory);
    await peer.authenticate(pod.directory);
    await until(() => peer.ended, 'it is closed');
    await unharmed(before);
  });

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
  });
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
  });
});

describe('a peer that knows the secret and goes mad', () => {
  test('whatever reasons it gives for giving up, they are one metric', async () => {
    const before = descriptorsNow();
    for (const reason of ['one', 'two', 'three']) {
      const peer = new Peer(pod.directory);
      await peer.authenticate(pod.directory);
      peer.say({ type: 'ABORT', reason, message: '', retryAfterMs: 0 });
      await until(() => peer.ended, 'it is let go');
    }
    const { status } = await followStatus(statusPath(pod.directory, 'main'), () => true, 60_000);
    const counted = Object.entries(status?.metrics ?? {}).filter(([name]) => name.includes('not-given'));
    expect(counted).toEqual([['takeover_total{result="not-given",reason="peer-aborted"}', 3]]);
    await unharmed(before);
  });

  test('what it says after the commit may be nonsense: it is the owner as long as it lives', async () => {
    const before = descriptorsNow();
    const peer = new Peer(pod.directory);
    await peer.commit(pod.directory);
    peer.frame(FRAME_TYPE.PONG, Buffer.from('{'));
    const pings = (): number => peer.heard.filter(({ type }) => type === 'PING').length;
    const enough = pings() + 2;
    await until(() => peer.ended || pings() >= enough, 'the old one speaks on, or has hung up');
    expect(peer.ended).toBe(false);
    peer.close();
    await unharmed(before);
  });

  test('20,000 random frames before and after authentication harm nothing', async () => {
    const before = descriptorsNow();
    await floodWithRandom(pod.directory, 100, 200);
    await unharmed(before);
  });
});
