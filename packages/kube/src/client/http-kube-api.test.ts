import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { answer, eventually, status, TinyApiServer } from '../../test/tiny-api-server.js';
import type { KubeObject, ResourceKind, WatchEvent } from '../api.js';
import type { KubeConnection } from '../config/connection.js';
import type { CallReport } from './caller.js';
import { HttpKubeApi } from './http-kube-api.js';
import { RateLimiter } from './rate-limiter.js';

const POD: ResourceKind = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
const SET: ResourceKind = {
  group: 'apps.kruise.io',
  version: 'v1beta1',
  plural: 'sidecarsets',
  kind: 'SidecarSet',
  namespaced: false,
};

let server: TinyApiServer;
let api: HttpKubeApi;
let reports: CallReport[];

const connect = (overrides: Partial<KubeConnection> = {}) => {
  reports = [];
  return new HttpKubeApi({
    connection: { server: server.url, credentials: async () => ({ headers: {}, tls: {} }), ...overrides },
    limiter: new RateLimiter({ qps: 10_000, burst: 10_000 }),
    timeoutMs: 2_000,
    onCall: (report) => reports.push(report),
  });
};

beforeEach(async () => {
  server = await new TinyApiServer().start();
  api = connect();
});

afterEach(async () => {
  api.close();
  await server.stop();
});

const received = () =>
  server.received.map(({ method, path, query }) => `${method} ${path}${query.size ? `?${query}` : ''}`);
const echo = () =>
  server.fault((request, response) => answer(response, 200, JSON.parse(request.body || '{}') as object));

describe('the address of a call', () => {
  const set = (more: object = {}) => ({ metadata: { name: 'mesh', ...more } });
  test.each<[string, (api: HttpKubeApi) => Promise<unknown>]>([
    ['GET /api/v1/namespaces/shop/pods/a', (it) => it.get(POD, { namespace: 'shop', name: 'a' })],
    ['GET /apis/apps.kruise.io/v1beta1/sidecarsets/mesh', (it) => it.get(SET, { name: 'mesh' })],
    [
      'GET /api/v1/namespaces/shop/pods/a?resourceVersion=0',
      (it) => it.get(POD, { namespace: 'shop', name: 'a' }, { resourceVersion: '0' }),
    ],
    ['GET /api/v1/pods', (it) => it.list(POD)],
    [
      'GET /api/v1/namespaces/shop/pods?labelSelector=app%3Da&fieldSelector=spec.nodeName%3Dn&limit=5&continue=x&resourceVersion=7',
      (it) =>
        it.list(POD, {
          namespace: 'shop',
          labelSelector: 'app=a',
          fieldSelector: 'spec.nodeName=n',
          limit: 5,
          continue: 'x',
          resourceVersion: '7',
        }),
    ],
    ['POST /apis/apps.kruise.io/v1beta1/sidecarsets?dryRun=All', (it) => it.create(SET, set(), { dryRun: true })],
    [
      'PUT /apis/apps.kruise.io/v1beta1/sidecarsets/mesh/status',
      (it) => it.replace(SET, set(), { subresource: 'status' }),
    ],
    [
      'PATCH /api/v1/namespaces/shop/pods/a?fieldManager=sidestep&force=true',
      (it) =>
        it.patch(POD, { namespace: 'shop', name: 'a' }, {}, { type: 'apply', fieldManager: 'sidestep', force: true }),
    ],
    [
      'PATCH /api/v1/namespaces/shop/pods/a?fieldValidation=Ignore',
      (it) => it.patch(POD, { namespace: 'shop', name: 'a' }, [], { type: 'json', fieldValidation: 'Ignore' }),
    ],
    [
      'POST /api/v1/namespaces/shop/pods/a/eviction',
      (it) => it.create(POD, set({ name: 'a', namespace: 'shop' }), { subresource: 'eviction' }),
    ],
    ['DELETE /api/v1/namespaces/shop/pods/a', (it) => it.delete(POD, { namespace: 'shop', name: 'a' })],
    ['GET /api/v1/namespaces/shop/pods/a%2Fb%3Fc', (it) => it.get(POD, { namespace: 'shop', name: 'a/b?c' })],
  ])('%s', async (expected, call) => {
    echo();
    await call(api);
    expect(received()).toEqual([expected]);
  });
});

describe('a call', () => {
  test.each([
    ['a write', {}, 'application/json'],
    [
      'a write whose answer nobody reads',
      { answer: 'metadata' },
      'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json',
    ],
  ] as const)('%s asks for as much of the object', async (_name, options, accept) => {
    const pod = { metadata: { namespace: 'shop', name: 'a' } };
    for (const write of [
      () => api.create(POD, pod, options),
      () => api.replace(POD, pod, options),
      () => api.patch(POD, pod.metadata, {}, { type: 'merge', ...options }),
    ]) {
      echo();
      await write();
    }
    expect(server.received.map(({ headers }) => headers.accept)).toEqual([accept, accept, accept]);
  });

  test.each(['json', 'merge', 'strategic', 'apply'] as const)(
    'sends a %s patch under its own content type',
    async (type) => {
      echo();
      await api.patch(POD, { namespace: 'shop', name: 'a' }, { a: 'ü' }, { type });
      const type1 = {
        json: 'json-patch+json',
        merge: 'merge-patch+json',
        strategic: 'strategic-merge-patch+json',
        apply: 'apply-patch+yaml',
      };
      expect(server.received[0]?.headers['content-type']).toBe(`application/${type1[type]}`);
      expect(server.received[0]?.body).toBe('{"a":"ü"}');
    },
  );

  test('sends the preconditions of a deletion', async () => {
    echo();
    await api.delete(POD, { namespace: 'shop', name: 'a' }, { gracePeriodSeconds: 0, preconditions: { uid: 'u' } });
    expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      preconditions: { uid: 'u' },
    });
  });

  test('gives the items of a list their type, and takes null for none', async () => {
    server.put('a');
    expect((await api.list(POD)).items).toMatchObject([{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }]);
    server.fault((_, response) => answer(response, 200, { items: null }));
    expect(await api.list(SET)).toEqual({ items: [], metadata: {} });
  });

  test('reuses its connection', async () => {
    server.put('a');
    const ports = new Set<number | undefined>();
    for (let i = 0; i < 5; i++) {
      server.fault((_, response) => {
        ports.add(response.socket?.remotePort);
        return false;
      });
      await api.get(POD, { namespace: 'shop', name: 'a' });
    }
    expect(ports.size).toBe(1);
  });

  test('reports verb, resource and status of every answer', async () => {
    await api.get(POD, { namespace: 'shop', name: 'none' }).catch(() => undefined);
    expect(reports).toEqual([{ verb: 'get', resource: 'pods', status: 404, seconds: expect.any(Number) }]);
  });

  test('reports calls of a subresource apart', async () => {
    const ref = { namespace: 'shop', name: 'none' };
    await api.patch(POD, ref, {}, { type: 'merge', subresource: 'status' }).catch(() => undefined);
    await api.patch(POD, ref, {}, { type: 'merge' }).catch(() => undefined);
    expect(reports.map(({ resource }) => resource)).toEqual(['pods/status', 'pods']);
  });
});

describe('a call that fails', () => {
  test('rejects with what the API server said', async () => {
    await expect(api.get(POD, { namespace: 'shop', name: 'none' })).rejects.toMatchObject({
      name: 'KubeError',
      status: 404,
      reason: 'NotFound',
    });
  });

  test('rejects with a time-out when no answer comes, or only half of one', async () => {
    api = connect().withTimeout(50);
    const half = { status: 0, reason: 'Timeout', retry: 'backoff' };
    server.fault(() => true);
    await expect(api.list(POD)).rejects.toMatchObject(half);
    server.fault((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"items":');
      return true;
    });
    await expect(api.list(POD)).rejects.toMatchObject(half);
    expect(reports.map((report) => report.status)).toEqual([0, 0]);
  });

  test('rejects when the connection is cut, before or in the middle of the answer', async () => {
    const cut = { status: 0, reason: 'ConnectionFailed', retry: 'backoff' };
    server.fault((_, response) => Boolean(response.socket?.destroy()));
    await expect(api.list(POD)).rejects.toMatchObject(cut);
    server.fault((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"items":', () => response.socket?.destroy());
      return true;
    });
    await expect(api.list(POD)).rejects.toMatchObject(cut);
  });

  test('rejects when nobody listens', async () => {
    const nobody = connect({ server: 'http://127.0.0.1:1' });
    await expect(nobody.list(POD)).rejects.toMatchObject({ status: 0, reason: 'ConnectionFailed' });
  });

  test('rejects an answer that is not JSON', async () => {
    server.fault((_, response) => Boolean(response.writeHead(200).end('<html>')));
    await expect(api.list(POD)).rejects.toMatchObject({ reason: 'MalformedAnswer' });
  });

  test('is made again when the API server puts it off, after the time that it asked for', async () => {
    server.put('a');
    const putOff = status(429, 'TooManyRequests', 'busy');
    server.fault((_, response) => answer(response, 429, putOff, { 'retry-after': '0.01' }));
    await expect(api.get(POD, { namespace: 'shop', name: 'a' })).resolves.toMatchObject({ metadata: { name: 'a' } });
    expect(reports.map((report) => report.status)).toEqual([429, 200]);
  });

  test('is not sent once the moment is past by which it had to be, however it came about', async () => {
    server.put('a');
    const ref = { namespace: 'shop', name: 'a' };
    const late = { type: 'json', sendBy: new Date(0) } as const;
    await expect(api.patch(POD, ref, [], late)).rejects.toMatchObject({ status: 0, reason: 'TooLate', retry: 'never' });
    expect(server.received).toEqual([]);
  });

  test('reaches the caller when it is put off too often', async () => {
    const putOff = status(429, 'TooManyRequests', 'busy');
    for (let i = 0; i < 6; i++)
      server.fault((_, response) => answer(response, 429, putOff, { 'retry-after': '0.001' }));
    await expect(api.list(POD)).rejects.toMatchObject({ status: 429 });
    expect(server.received).toHaveLength(6);
  });

  test('is made again once with fresh credentials after a 401', async () => {
    let token = 'old';
    api = connect({ credentials: async () => ({ headers: { authorization: token }, tls: {} }) });
    await api.list(POD);
    token = 'new';
    server.fault((_, response) => answer(response, 401, status(401, 'Unauthorized', 'who?')));
    await api.list(POD);
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual(['old', 'old', 'new']);
    server.fault(
      (_, response) => answer(response, 401, status(401, 'Unauthorized', 'who?')),
      (_, response) => answer(response, 401, status(401, 'Unauthorized', 'who?')),
    );
    await expect(api.list(POD)).rejects.toMatchObject({ status: 401 });
  });

  test('keeps old credentials while new ones cannot be read', async () => {
    let broken = false;
    api = connect({
      credentials: async () => {
        if (broken) throw new Error('half written');
        return { headers: {}, tls: {} };
      },
    });
    await api.list(POD);
    broken = true;
    server.fault((_, response) => answer(response, 401, status(401, 'Unauthorized', 'who?')));
    await expect(api.list(POD)).resolves.toMatchObject({ items: [] });
  });
});

describe('a watch', () => {
  const collect = async (watch: AsyncIterable<WatchEvent<KubeObject>>, into: WatchEvent<KubeObject>[]) => {
    for await (const event of watch) into.push(event);
  };

  test('yields events until the server ends it', async () => {
    const seen: WatchEvent<KubeObject>[] = [];
    const options = { namespace: 'shop', resourceVersion: '100', timeoutSeconds: 300 };
    const done = collect(api.watch(POD, options, new AbortController().signal), seen);
    await eventually('the watch is open', () => server.watches === 1);
    server.put('a');
    server.bookmark();
    server.remove('a');
    await eventually('all events came', () => seen.length === 3);
    server.endWatches('end');
    await done;
    expect(seen.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK', 'DELETED']);
    expect(received()[0]).toBe(
      'GET /api/v1/namespaces/shop/pods?watch=true&allowWatchBookmarks=true&resourceVersion=100&timeoutSeconds=300',
    );
  });

  test('lives longer than the time-out of a call', async () => {
    const seen: WatchEvent<KubeObject>[] = [];
    const done = collect(api.withTimeout(1_000).watch(POD, {}, new AbortController().signal), seen);
    await eventually('the watch is open', () => server.watches === 1);
    server.fault(() => true);
    await expect(api.withTimeout(1_050).list(POD)).rejects.toMatchObject({ reason: 'Timeout' });
    server.put('a');
    await eventually('the event came', () => seen.length === 1);
    server.endWatches('end');
    await done;
  });

  test('ends when it is aborted, and closes its connection', async () => {
    const abort = new AbortController();
    const done = collect(api.watch(POD, {}, abort.signal), []);
    await eventually('the watch is open', () => server.watches === 1);
    abort.abort();
    await done;
    await eventually('the server noticed', () => server.watches === 0);
  });

  test('closes its connection when the reader leaves', async () => {
    const watch = api.watch(POD, {}, new AbortController().signal)[Symbol.asyncIterator]();
    const first = watch.next();
    await eventually('the watch is open', () => server.watches === 1);
    server.put('a');
    await first;
    await watch.return?.(undefined);
    await eventually('the server noticed', () => server.watches === 0);
  });

  test.each<[string, (server: TinyApiServer) => void, object]>([
    [
      'an ERROR event',
      (it) => it.say(`${JSON.stringify({ type: 'ERROR', object: status(410, 'Expired', 'old') })}\n`),
      { status: 410 },
    ],
    ['a cut connection', (it) => it.endWatches('cut'), { reason: 'ConnectionFailed' }],
    ['garbage', (it) => it.say('garbage\n'), { reason: 'MalformedAnswer' }],
  ])('rejects at %s', async (_, fault, expected) => {
    const done = collect(api.watch(POD, {}, new AbortController().signal), []);
    await eventually('the watch is open', () => server.watches === 1);
    fault(server);
    await expect(done).rejects.toMatchObject(expected);
  });

  test('rejects with the status of a refusal', async () => {
    server.fault((_, response) => answer(response, 403, status(403, 'Forbidden', 'no')));
    await expect(collect(api.watch(POD, {}, new AbortController().signal), [])).rejects.toMatchObject({ status: 403 });
    expect(reports).toMatchObject([{ verb: 'watch', status: 403 }]);
  });
});
