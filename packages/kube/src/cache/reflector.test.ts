import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { answer, eventually, status, TinyApiServer } from '../../test/tiny-api-server.js';
import type { KubeApi, KubeObject, ResourceKind } from '../api.js';
import { HttpKubeApi } from '../client/http-kube-api.js';
import { RateLimiter } from '../client/rate-limiter.js';
import { ManualClock } from '../manual-clock.js';
import { Reflector } from './reflector.js';
import type { ReflectorEvent, ReflectorOptions } from './reflector-options.js';

const POD: ResourceKind = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

let server: TinyApiServer;
let api: HttpKubeApi;
let reflector: Reflector<string>;
let events: ReflectorEvent[];
let changes: string[];

const start = async (options: Partial<ReflectorOptions<string>> = {}) => {
  events = [];
  changes = [];
  reflector = new Reflector<string>({
    api,
    kind: POD,
    transform: (pod) => pod.metadata.resourceVersion as string,
    backoff: { baseMs: 5, maxMs: 20 },
    onEvent: (event) => events.push(event),
    ...options,
  });
  reflector.store.subscribe(({ type, key }) => changes.push(`${type} ${key}`));
  reflector.start();
  await reflector.synced();
  await eventually('the watch is open', () => server.watches === 1);
};

const happened = (type: ReflectorEvent['type']) => events.filter((event) => event.type === type).length;
const has = (name: string) => reflector.store.has(`shop/${name}`);

beforeEach(async () => {
  server = await new TinyApiServer().start();
  const connection = { server: server.url, credentials: async () => ({ headers: {}, tls: {} }) };
  api = new HttpKubeApi({ connection, limiter: new RateLimiter({ qps: 100_000, burst: 100_000 }), timeoutMs: 2_000 });
});

afterEach(async () => {
  await reflector.stop();
  api.close();
  await server.stop();
});

describe('a reflector', () => {
  test('has synced when everything that was there is in the store, page by page', async () => {
    for (let i = 0; i < 7; i++) server.put(`pod-${i}`);
    await start({ pageSize: 3 });
    expect(reflector.hasSynced).toBe(true);
    expect(reflector.store.size).toBe(7);
    expect(server.requests('list').map(({ query }) => query.get('continue'))).toEqual([null, '3', '6']);
    expect(server.requests('list')[0]?.query.get('limit')).toBe('3');
  });

  test('follows what is added, changed and deleted', async () => {
    await start();
    server.put('a');
    server.put('a');
    server.remove('a');
    await eventually('the deletion came', () => changes.includes('deleted shop/a'));
    expect(changes).toEqual(['added shop/a', 'updated shop/a', 'deleted shop/a']);
  });

  test('asks for bookmarks, and for a watch of a length drawn from 240 to 360 seconds', async () => {
    await start({ random: () => 0.5 });
    const query = server.requests('watch')[0]?.query;
    expect([query?.get('allowWatchBookmarks'), query?.get('timeoutSeconds')]).toEqual(['true', '300']);
  });

  test.each(['end', 'cut'] as const)(
    'goes on from the last version after the watch was %s, with no new list',
    async (how) => {
      await start();
      const last = server.put('a').metadata.resourceVersion;
      await eventually('a came', () => has('a'));
      server.endWatches(how);
      server.put('b');
      await eventually('b came', () => has('b'));
      expect(server.requests('list')).toHaveLength(1);
      expect(server.requests('watch').at(-1)?.query.get('resourceVersion')).toBe(last);
      expect(changes).toEqual(['added shop/a', 'added shop/b']);
    },
  );

  test('remembers the version of a bookmark', async () => {
    await start();
    server.bookmark();
    await eventually('the bookmark came', () => reflector.resourceVersion === '101');
    server.endWatches('cut');
    await eventually('it watches again', () => server.requests('watch').length === 2);
    expect(server.requests('watch')[1]?.query.get('resourceVersion')).toBe('101');
  });

  test('lists anew when its version is too old, and tells what it missed as changes', async () => {
    server.put('stays');
    server.put('goes');
    server.put('changes');
    await start();
    changes.length = 0;
    server.silent = true;
    server.endWatches('cut');
    await eventually('it watches again', () => server.watches === 1);
    server.removeSilently('goes');
    server.put('changes');
    server.put('comes');
    server.compact();
    server.silent = false;
    server.endWatches('cut');
    await eventually('it listed again', () => server.requests('list').length === 2 && has('comes'));
    await eventually('it is complete', () => !has('goes'));
    expect([...changes].sort()).toEqual(['added shop/comes', 'deleted shop/goes', 'updated shop/changes']);
    const lists = events.filter(({ type }) => type === 'relist' || type === 'listed');
    expect(lists.slice(2)).toEqual([{ type: 'relist', reason: 'expired' }, { type: 'listed' }]);
  });

  test('gives up a watch that has gone silent', async () => {
    server.silent = true;
    await start({ silenceMs: 30 });
    server.silent = false;
    server.put('a');
    await eventually('a came', () => has('a'));
    expect(happened('watchSilent')).toBeGreaterThan(0);
  });

  test.each<[string, (it: TinyApiServer) => void]>([
    ['garbage', (it) => it.say('garbage\n')],
    ['an event without an object', (it) => it.say('{"type":"ADDED"}\n')],
    ['an object without metadata', (it) => it.say('{"type":"ADDED","object":{}}\n')],
    ['an event of an unknown type without metadata', (it) => it.say('{"type":"WHAT","object":{}}\n')],
    [
      'an error',
      (it) => it.say(`${JSON.stringify({ type: 'ERROR', object: status(500, 'InternalError', 'broken') })}\n`),
    ],
  ])('survives %s in its watch', async (_, fault) => {
    await start();
    fault(server);
    await eventually('the failure was noticed', () => happened('failed') > 0);
    server.put('a');
    await eventually('a came', () => has('a'));
  });

  test('starts with a list that fails several times', async () => {
    server.put('a');
    server.fault(
      (_, response) => answer(response, 500, status(500, 'InternalError', 'down')),
      (_, response) => Boolean(response.socket?.destroy()),
      (_, response) => answer(response, 200, { nonsense: true, items: [{}] }),
      (_, response) => answer(response, 403, status(403, 'Forbidden', 'not yet')),
    );
    await start();
    expect(has('a')).toBe(true);
    expect(events.filter(({ type }) => type === 'failed')).toHaveLength(4);
  });

  test('starts a list over when its pages expire, and keeps nothing of the broken one', async () => {
    for (let i = 0; i < 4; i++) server.put(`pod-${i}`);
    server.fault(
      () => {
        queueMicrotask(() => server.removeSilently('pod-0'));
        return false;
      },
      (_, response) => answer(response, 410, status(410, 'Expired', 'continue token too old')),
    );
    await start({ pageSize: 2 });
    expect([...reflector.store.keys()]).toEqual(['shop/pod-1', 'shop/pod-2', 'shop/pod-3']);
  });

  test('lists in one piece when paging keeps expiring', async () => {
    for (let i = 0; i < 4; i++) server.put(`pod-${i}`);
    const expire = (_: unknown, response: Parameters<typeof answer>[0]) =>
      answer(response, 410, status(410, 'Expired', 'x'));
    server.fault(expire, expire);
    await start({ pageSize: 2 });
    expect(reflector.store.size).toBe(4);
    expect(server.requests('list').at(-1)?.query.get('limit')).toBeNull();
  });

  test('lists anew when watching from its version keeps failing', async () => {
    await start();
    const refuse = (_: unknown, response: Parameters<typeof answer>[0]) =>
      answer(response, 504, status(504, 'Timeout', 'Too large resource version'));
    server.fault(...Array(6).fill(refuse));
    server.endWatches('cut');
    await eventually('it listed again', () => server.requests('list').length >= 2);
    expect(events).toContainEqual({ type: 'relist', reason: 'failed' });
  });

  test('finds an event that was lost, at its next regular list', async () => {
    server.put('a');
    await start({ resyncMs: 1 });
    server.removeSilently('a');
    server.endWatches('end');
    await eventually('a is gone', () => !has('a'));
    expect(events).toContainEqual({ type: 'relist', reason: 'resync' });
  });

  test('tells nobody of an event that comes twice', async () => {
    await start();
    const pod = server.put('a');
    server.say(`${JSON.stringify({ type: 'MODIFIED', object: pod })}\n`);
    server.put('b');
    await eventually('b came', () => has('b'));
    expect(changes).toEqual(['added shop/a', 'added shop/b']);
  });

  test('keeps out what the transform leaves out, and what it cannot read', async () => {
    const transform = (pod: KubeObject) => {
      if (pod.metadata.labels?.app === 'broken') throw new Error('cannot read');
      return pod.metadata.labels?.app;
    };
    server.put('in', { app: 'web' });
    server.put('out');
    server.put('broken', { app: 'broken' });
    await start({ transform });
    expect([...reflector.store.keys()]).toEqual(['shop/in']);
    expect(happened('dropped')).toBe(1);
    server.put('in');
    await eventually('it left', () => !has('in'));
  });

  test('stops at once, in the middle of a watch or of its back-off', async () => {
    await start();
    await reflector.stop();
    await eventually('the watch is closed', () => server.watches === 0);
    expect(happened('failed')).toBe(0);
  });

  test('stopped while its list is read, opens no watch', async () => {
    server.put('a');
    const transform = (pod: KubeObject) => {
      void reflector.stop();
      return pod.metadata.resourceVersion;
    };
    reflector = new Reflector<string>({ api, kind: POD, transform });
    reflector.start();
    await reflector.stop();
    expect(server.requests('watch')).toEqual([]);
  });
});

test('a server that ends every watch at once is asked less and less often', async () => {
  const clock = new ManualClock();
  let watches = 0;
  const endingApi = {
    list: async () => ({ items: [], metadata: { resourceVersion: '1' } }),
    watch: async function* () {
      watches += 1;
      yield* [];
    },
  } as unknown as KubeApi;
  const ending = new Reflector({
    api: endingApi,
    kind: POD,
    clock,
    random: () => 0,
    backoff: { baseMs: 100, maxMs: 10_000 },
  });
  ending.start();
  await clock.advance(1_000);
  expect(watches).toBe(4);
  await clock.advance(60_000);
  expect(watches).toBeLessThanOrEqual(14);
  const stopped = ending.stop();
  await clock.advance(0);
  await stopped;
});
