import { createServer, request as httpRequest, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger, createMetrics, type Logger, type Metrics } from '@sidestep/observability';
import { type MemoryViewOptions, memoryView } from '../../test/memory-view.js';
import { pod, podRequest, review, sidecarSet } from '../../test/reviews.js';
import { Reviews, type Webhook } from '../admission/reviews.js';
import type { ClusterView } from '../cluster/cluster-view.js';
import { Endpoints } from './endpoints.js';

let server: Server;
let endpoints: Endpoints;
let metrics: Metrics;
let log: string;

const newEndpoints = (view: ClusterView, maxInFlight: number, logger: Logger) =>
  new Endpoints({
    reviews: new Reviews({ view, metrics, log: logger, now: () => new Date(0) }),
    missing: () => view.missing(),
    metrics,
    log: logger,
    maxInFlight,
    maxBytesInFlight: 64 * 2 ** 20,
  });

const serve = async (view: MemoryViewOptions = { sidecarSets: [sidecarSet()] }, maxInFlight = 100) => {
  metrics = createMetrics({ processMetrics: false });
  log = '';
  const destination = {
    write: (line: string) => {
      log += line;
    },
  };
  endpoints = newEndpoints(memoryView(view), maxInFlight, createLogger({ name: 'test', level: 'info', destination }));
  server = createServer(
    (request, response) => void endpoints.handle(request.url?.slice(1) as Webhook, request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
};

const url = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`;

const post = async (
  webhook: Webhook,
  body: string,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) => {
  const response = await fetch(url(webhook), { method: 'POST', body, headers });
  const text = await response.text();
  return { status: response.status, text, connection: response.headers.get('connection') };
};

const responseOf = ({ text }: { text: string }) => JSON.parse(text).response;

beforeEach(() => serve());

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('a review', () => {
  test('is answered with 200, its uid and the decision', async () => {
    const answer = await post('mutate-pod', review(podRequest(pod())), {
      'content-type': 'application/json; charset=utf-8',
    });
    expect(answer.status).toBe(200);
    expect(responseOf(answer)).toMatchObject({ uid: 'request-1', allowed: true, patchType: 'JSONPatch' });
    expect(await metrics.injectedPods.get()).toMatchObject({ values: [{ value: 1, labels: { sidecarset: 'mesh' } }] });
  });

  test('is refused in its own terms when the rules refuse it, and counted', async () => {
    const bad = { ...pod(), metadata: { ...pod().metadata, annotations: { 'kruise.io/sidecarset-hash': '{' } } };
    const answer = await post('mutate-pod', review(podRequest(bad)));
    expect(responseOf(answer)).toMatchObject({
      allowed: false,
      status: {
        code: 422,
        reason: 'Invalid',
        message: expect.stringContaining('invalid annotations[kruise.io/sidecarset-hash]'),
      },
    });
    expect(await metrics.registry.metrics()).toContain(
      'sidestep_admission_refused_total{webhook="mutate-pod",reason="Invalid"} 1',
    );
    expect(log).toContain('review refused');
  });

  test('that breaks the program is refused with 500, logged, and does not end it', async () => {
    const broken = memoryView();
    broken.namespaceLabels = () => {
      throw new TypeError('a fault of ours');
    };
    endpoints = newEndpoints(broken, 1, createLogger({ name: 'test', level: 'silent' }));
    const answer = await post('mutate-pod', review(podRequest(pod())));
    expect(responseOf(answer)).toMatchObject({
      allowed: false,
      status: { code: 500, message: 'internal error: a fault of ours' },
    });
    expect((await post('validate-sidecarset', review(podRequest(pod())))).status).toBe(200);
  });

  test('of a conversion is answered even when nothing is in memory yet', async () => {
    await new Promise((resolve) => server.close(resolve));
    await serve({ missing: ['sidecarsets'] });
    const request = { uid: 'u', desiredAPIVersion: 'apps.kruise.io/v1alpha1', objects: [sidecarSet()] };
    const body = JSON.stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request });
    expect(responseOf(await post('convert', body))).toMatchObject({ result: { status: 'Success' } });
    expect(await post('mutate-pod', review(podRequest(pod())))).toMatchObject({
      status: 503,
      text: 'not listed yet: sidecarsets\n',
    });
  });
});

describe('a request that is no review', () => {
  const json = { 'content-type': 'application/json' };
  test.each<[string, string, Record<string, string>, number]>([
    ['no JSON', 'hello', json, 400],
    ['an empty body', '', json, 400],
    ['another kind', '{"kind":"Pod"}', json, 400],
    ['a review without uid', review({}), json, 400],
    ['text', review(podRequest(pod())), { 'content-type': 'text/plain' }, 415],
    ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['something encoded', review(podRequest(pod())), { ...json, 'content-encoding': 'gzip' }, 415],
    ['too long', ' '.repeat(8 * 1024 * 1024 + 1), json, 413],
    ['deep nonsense', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, json, 400],
  ])('because it is %s gets a status that says so', async (_, body, headers, status) => {
    expect((await post('mutate-pod', body, headers)).status).toBe(status);
    expect((await post('mutate-pod', review(podRequest(pod())))).status).toBe(200);
  });

  test('too long without saying so gets 413 and is cut off', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const request = httpRequest(url('mutate-pod'), {
        method: 'POST',
        headers: { ...json, 'transfer-encoding': 'chunked' },
      });
      request.once('response', (response) => resolve(response.statusCode ?? 0));
      request.once('error', reject);
      for (let i = 0; i < 9; i++) request.write(Buffer.alloc(1024 * 1024, ' '));
    });
    expect(status).toBe(413);
  });

  test('too long can be sent to its end by somebody who reads the 413 only then', async () => {
    const { port } = server.address() as AddressInfo;
    const length = 9 * 1024 * 1024;
    const socket = connect(port, '127.0.0.1');
    const ended = new Promise<string>((resolve, reject) => {
      let answer = '';
      socket.on('data', (part) => {
        // The server has answered; what follows must not meet a closed door, or the answer is lost with it.
        if (answer === '') socket.write(Buffer.alloc(length, ' '));
        answer += part;
      });
      socket.once('end', () => resolve(answer));
      socket.once('error', reject);
    });
    const type = 'content-type: application/json';
    socket.write(`POST /mutate-pod HTTP/1.1\r\nhost: x\r\n${type}\r\ncontent-length: ${length}\r\n\r\n`);
    expect(await ended).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  test('because its sender left in the middle of it is forgotten', async () => {
    const { port } = server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(
      'POST /mutate-pod HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"kind"',
    );
    const counted = async () => (await metrics.admissionInFlight.get()).values[0]?.value;
    const deadline = Date.now() + 60_000;
    while ((await counted()) !== 1 && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    while ((await counted()) !== 0 && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    expect(await metrics.registry.metrics()).toContain('reason="SenderGone"} 1');
  });
});

describe('the endpoints', () => {
  test('refuse with 503 what is more than they were made for', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await serve({}, 1);
    const slow = httpRequest(url('mutate-pod'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '10' },
    });
    slow.once('error', () => undefined);
    slow.flushHeaders();
    const counted = async () => (await metrics.admissionInFlight.get()).values[0]?.value;
    const deadline = Date.now() + 60_000;
    while ((await counted()) !== 1 && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    const refused = await fetch(url('mutate-pod'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    slow.destroy();
  });

  test('ask every sender to leave while they drain, and still answer', async () => {
    endpoints.drain();
    const answer = await post('mutate-pod', review(podRequest(pod())));
    expect(answer).toMatchObject({ status: 200, connection: 'close' });
  });
});
