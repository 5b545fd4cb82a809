import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, get, type Server as HttpServer } from 'node:http';
import { createConnection, createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort } from '@sidestep/testkit';
import type { TakeoverOptions } from '../src/takeover/api.js';
import type { Internals } from '../src/takeover/settings.js';
import { Pair, portOf } from './pair.js';
import { Pod, until } from './processes.js';

let pair: Pair;
beforeEach(() => {
  pair = new Pair();
});
afterEach(() => pair.close());

const begin = (options: Partial<TakeoverOptions>, internals?: Internals) => pair.begin(options, internals);

function answering(text: string): HttpServer {
  return createServer((_, answer) => answer.end(text));
}

function fetchFrom(target: { port?: number; host?: string; socketPath?: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', ...target, agent: false }, (answer) => {
      answer.setEncoding('utf8').on('data', resolve);
    }).on('error', reject);
  });
}

describe('listeners of every kind', () => {
  test('TCP over IPv6 is inherited by name, whatever port it got', async () => {
    const listeners = { web: { host: '::1', port: 0 } };
    const old = await begin({ listeners });
    await old.serve('web', answering('old')).ready();
    const { port } = old.address('web') as { port: number };
    const next = await begin({ listeners });
    expect(next.inherited).toBe(true);
    expect(next.address('web')).toEqual({ kind: 'tcp', host: '::1', port });
    await next.serve('web', answering('new')).ready();
    expect(await fetchFrom({ host: '::1', port })).toBe('new');
  });

  test('both families of one port are bound, and inherited', async () => {
    const port = await freePort();
    const listeners = { web: `0.0.0.0:${port}`, web6: `[0::0]:${port}` };
    const both = async (): Promise<string[]> => [await fetchFrom({ port }), await fetchFrom({ host: '::1', port })];
    const first = await begin({ listeners });
    await first.serve('web', answering('old 4')).serve('web6', answering('old 6')).ready();
    expect(await both()).toEqual(['old 4', 'old 6']);
    const next = await begin({ listeners });
    await next.serve('web', answering('new 4')).serve('web6', answering('new 6')).ready();
    expect(await both()).toEqual(['new 4', 'new 6']);
  });

  test('a socket of IPv6 alone is not taken for one of both families: the upgrade fails, and both are still answered', async () => {
    const port = await freePort();
    const listeners = { web: `0.0.0.0:${port}`, web6: `[::]:${port}` };
    const old = await begin({ listeners });
    await old.serve('web', answering('old 4')).serve('web6', answering('old 6')).ready();
    await expect(begin({ listeners: { web6: `[::]:${port}` } })).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    expect(await fetchFrom({ port })).toBe('old 4');
    expect(await fetchFrom({ port, host: '::1' })).toBe('old 6');
  });

  test('a Unix path is inherited; the path is answered at every moment', async () => {
    const path = join(pair.directory, 'app.sock');
    const listeners = { app: { path } };
    await (await begin({ listeners })).serve('app', answering('old')).ready();
    expect(await fetchFrom({ socketPath: path })).toBe('old');
    await (await begin({ listeners })).serve('app', answering('new')).ready();
    expect(await fetchFrom({ socketPath: path })).toBe('new');
  });

  test('a dead Unix path is replaced, a live one of somebody else is in use', async () => {
    const path = join(pair.directory, 'app.sock');
    const somebody = createNetServer().listen(path);
    await until(() => somebody.listening, 'somebody listens');
    await expect(begin({ listeners: { app: { path } }, limits: { coldStartMs: 50 } })).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
    });
    await new Promise((resolve) => somebody.close(resolve));
    const agent = await begin({ listeners: { app: { path } } });
    await agent.serve('app', answering('here')).ready();
    expect(await fetchFrom({ socketPath: path })).toBe('here');
  });

  test('UDP: no datagram is lost over 10 hand-overs, and a function that makes sockets can resume', async () => {
    const port = await freePort();
    const listeners = { dns: { host: '127.0.0.1', port, udp: true } };
    const echo = (): UdpSocket => {
      const socket = createSocket('udp4');
      socket.on('message', (message, from) => socket.send(message, from.port, from.address));
      return socket;
    };
    await (await begin({ listeners })).serve('dns', echo).ready();
    const client = createSocket('udp4');
    const missing = new Set<string>();
    let sent = 0;
    client.on('message', (message) => missing.delete(message.toString()));
    // One at a time and answered: what is missing at the end was lost, not merely too much for a socket buffer.
    const sending = setInterval(() => {
      if (missing.size > 50) return;
      missing.add(String(sent));
      client.send(String(sent++), port, '127.0.0.1');
    }, 1);
    for (let i = 0; i < 10; i++) await (await begin({ listeners })).serve('dns', echo).ready();
    await until(() => sent > 200, 'enough was sent');
    clearInterval(sending);
    await until(() => missing.size === 0, `every datagram is answered`);
    client.close();
  });

  test('1,024 listeners travel in one hand-over', async () => {
    const names = Array.from({ length: 1_024 }, (_, i) => `listener-with-a-long-name-${i}`);
    const listeners = Object.fromEntries(names.map((name) => [name, '127.0.0.1:0']));
    const old = await begin({ listeners });
    await old.ready();
    const some = [names[0]!, names[500]!, names[1_023]!];
    const before = some.map((name) => old.address(name));
    const next = await begin({ listeners });
    await next.ready();
    expect(next.inherited).toBe(true);
    expect(next.status().listeners).toHaveLength(1_024);
    expect(some.map((name) => next.address(name))).toEqual(before);
  });

  test('a process that may have fewer descriptors than it is offered ends, and the old one serves on', async () => {
    const pod = await Pod.create();
    try {
      const many = Array.from({ length: 200 }, (_, i) => [`listener-${i}`, '127.0.0.1:0']);
      const listeners = { web: `127.0.0.1:${pod.port}`, ...Object.fromEntries(many) };
      const old = pod.server('old', { listeners });
      await old.heard('owner');
      const next = pod.server('new', { listeners, descriptors: 100 });
      expect((await next.exited).code).toBe(1);
      expect(next.told.some(({ event }) => event === 'owner')).toBe(false);
      expect(old.running).toBe(true);
      expect(await fetchFrom({ port: pod.port })).toBe('old');
    } finally {
      await pod.close();
    }
  });

  test('a new version may add a listener, drop one, and move one to another port', async () => {
    const [first, second] = [await freePort(), await freePort()];
    const old = await begin({
      listeners: { web: `127.0.0.1:${first}`, dropped: '127.0.0.1:0', moved: `127.0.0.1:${second}` },
    });
    await old.serve('web', answering('old')).ready();
    const third = await freePort();
    const next = await begin({
      listeners: { web: `127.0.0.1:${first}`, added: '127.0.0.1:0', moved: `127.0.0.1:${third}` },
    });
    await next.serve('web', answering('new')).serve('moved', answering('moved')).ready();
    expect(
      next
        .status()
        .listeners.map(({ name }) => name)
        .sort(),
    ).toEqual(['added', 'moved', 'web']);
    expect(await fetchFrom({ port: first })).toBe('new');
    expect(await fetchFrom({ port: third })).toBe('moved');
  });

  test('a new version that gives a listener another name is told so, and the old one serves on', async () => {
    const port = await freePort();
    const old = await begin({ listeners: { web: `127.0.0.1:${port}` } });
    await old.serve('web', answering('old')).ready();
    await expect(begin({ listeners: { public: `127.0.0.1:${port}` } })).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      message: `listener public: bind failed: EADDRINUSE (127.0.0.1:${port})`,
      hint: expect.stringContaining('under another name'),
    });
    expect(await fetchFrom({ port })).toBe('old');
    expect(old.status().role).toBe('owner');
  });

  test('the accept queue of a TCP listener is in the status, with the backlog that was asked for', async () => {
    const agent = await begin({ listeners: { web: { host: '127.0.0.1', port: 0, backlog: 77 } } });
    await agent.ready();
    const { port } = agent.address('web') as { port: number };
    const waiting = createConnection(port, '127.0.0.1');
    await new Promise((resolve) => waiting.once('connect', resolve));
    expect(agent.status().listeners[0]).toMatchObject({ acceptQueue: { pending: 1, limit: 77 } });
    waiting.destroy();
  });

  test('taking over leaves the backlog as it was', async () => {
    const listeners = { web: { host: '127.0.0.1', port: 0, backlog: 1_234 } };
    await (await begin({ listeners })).serve('web', answering('old')).ready();
    const next = await begin({ listeners });
    await next.serve('web', answering('new')).ready();
    expect(next.status().listeners[0]?.acceptQueue?.limit).toBe(1_234);
  });
});

describe('what goes along', () => {
  test('16 MiB of app state', async () => {
    const state = Buffer.alloc(16 * 1024 * 1024, 'state');
    const listeners = { web: '127.0.0.1:0' };
    await (await begin({ listeners, saveState: () => state })).ready();
    const next = await begin({ listeners });
    expect(Buffer.compare(next.state!, state)).toBe(0);
  });

  test('state that cannot be saved does not stop the hand-over', async () => {
    const listeners = { web: '127.0.0.1:0' };
    const saveState = () => Promise.reject(new Error('no state today'));
    await (await begin({ listeners, saveState })).ready();
    const next = await begin({ listeners });
    await next.ready();
    expect(next.state).toBeUndefined();
    expect(next.status().role).toBe('owner');
  });

  test.each<[string, () => unknown]>([
    ['more than 64 MiB', () => Buffer.alloc(64 * 1024 * 1024 + 1)],
    ['no bytes at all', () => 'text'],
  ])('nor does state that is %s', async (_, saveState) => {
    const listeners = { web: '127.0.0.1:0' };
    await (await begin({ listeners, saveState: saveState as () => Uint8Array })).ready();
    const next = await begin({ listeners });
    await next.ready();
    expect(next.state).toBeUndefined();
    expect(next.status()).toMatchObject({ role: 'owner', reason: 'takeover' });
  });

  test.each<[string, () => Record<string, number>]>([
    [
      'that throw',
      () => {
        throw new Error('no counters today');
      },
    ],
    ['that are no numbers', () => ({ requests: Number.NaN, bytes: Number.POSITIVE_INFINITY })],
  ])('nor do counters %s', async (_, counters) => {
    const listeners = { web: '127.0.0.1:0' };
    const old = await begin({ listeners, counters });
    await old.ready();
    const next = await begin({ listeners });
    await next.ready();
    expect(next.status()).toMatchObject({ role: 'owner', reason: 'takeover' });
    expect(await old.done).toMatchObject({ reason: 'drained' });
  });

  // 20,000 are more than the kernel holds for a successor that has not read yet.
  test.each([5_000, 20_000])('%d counters arrive, each once', async (count) => {
    const names = Array.from({ length: count }, (_, i) => `a_counter_with_a_long_name_${i}`);
    const listeners = { web: '127.0.0.1:0' };
    const counters = (): Record<string, number> => Object.fromEntries(names.map((name, i) => [name, i + 1]));
    await (await begin({ listeners, counters })).ready();
    const next = await begin({ listeners });
    const sum = new Map<string, number>();
    next.on('counters', (delta) => {
      for (const [name, value] of Object.entries(delta)) sum.set(name, (sum.get(name) ?? 0) + value);
    });
    await next.ready();
    expect(next.status()).toMatchObject({ role: 'owner', reason: 'takeover' });
    await until(() => sum.size === names.length, 'all counters arrive');
    expect(names.filter((name, i) => sum.get(name) !== i + 1)).toEqual([]);
  });

  test('counters go on: first what there was, then what the draining process still counts', async () => {
    const counted = { requests: 40 };
    const listeners = { web: '127.0.0.1:0' };
    await (await begin({ listeners, counters: () => counted, limits: { guardMs: 50 } })).ready();
    const next = await begin({ listeners });
    const sum: Record<string, number> = {};
    next.on('counters', (delta) => {
      for (const [name, value] of Object.entries(delta)) sum[name] = (sum[name] ?? 0) + value;
    });
    const ready = next.ready();
    counted.requests = 42;
    await ready;
    await until(() => sum.requests === 42, `the increment arrives`);
  });
});

describe('versions of the protocol', () => {
  test.each([
    ['newer', { min: 1, max: 7 }],
    ['older', { min: 1, max: 1 }],
  ])('a peer that is %s and shares one takes over', async (_, versions) => {
    const listeners = { web: '127.0.0.1:0' };
    await (await begin({ listeners })).ready();
    const peer = await begin({ listeners }, { versions });
    await peer.ready();
    expect(peer.status().handover?.how).toBe('takeover');
  });

  test('a label of any length is one', async () => {
    const listeners = { web: '127.0.0.1:0' };
    const version = 'v'.repeat(1_000);
    await (await begin({ listeners, version })).ready();
    await (await begin({ listeners, version })).ready();
  });

  test('a peer that shares none is told so, and the old one serves on', async () => {
    const listeners = { web: '127.0.0.1:0' };
    const old = await begin({ listeners });
    await old.serve('web', answering('old')).ready();
    const tooNew = begin({ listeners }, { versions: { min: 2, max: 3 } });
    await expect(tooNew).rejects.toThrow(/version-mismatch/);
    expect(await fetchFrom({ port: portOf(old, 'web') })).toBe('old');
  });
});
