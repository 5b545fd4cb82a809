import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { HealthServer } from './health-server.js';

let problem: string | undefined;
let server: HealthServer;
let url: string;

beforeEach(async () => {
  problem = undefined;
  server = new HealthServer({
    host: '127.0.0.1',
    port: 0,
    live: { loop: () => undefined },
    ready: { caches: () => problem, certificate: async () => undefined },
    metrics: { contentType: 'text/plain; version=0.0.4', metrics: async () => 'a 1\n' },
    json: {
      '/debug/queue': () => ({ depth: 3 }),
      '/debug/broken': () => {
        throw new Error('cannot');
      },
    },
  });
  ({ url } = await server.start());
});

afterEach(() => server.stop());

const get = async (path: string, init?: RequestInit) => {
  const response = await fetch(url + path, init);
  return { status: response.status, text: await response.text(), type: response.headers.get('content-type') };
};

describe('the health server', () => {
  test('is ready when every check is', async () => {
    expect(await get('/readyz')).toMatchObject({ status: 200, text: '[+]caches ok\n[+]certificate ok\nok\n' });
  });

  test('names the check that failed and why', async () => {
    problem = 'pods not listed yet';
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      text: '[-]caches failed: pods not listed yet\n[+]certificate ok\nnot ok\n',
    });
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  test('is not ready, but alive, while it drains', async () => {
    server.drain();
    expect(await get('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('[-]draining failed') });
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  test('serves metrics in the type of their registry', async () => {
    expect(await get('/metrics?x=1')).toMatchObject({ status: 200, text: 'a 1\n', type: 'text/plain; version=0.0.4' });
  });

  test('serves further routes as JSON', async () => {
    expect(await get('/debug/queue')).toMatchObject({ status: 200, text: '{"depth":3}', type: 'application/json' });
  });

  test('answers 500 for a route that throws, and goes on', async () => {
    expect(await get('/debug/broken')).toMatchObject({ status: 500, text: 'cannot\n' });
    expect(await get('/livez')).toMatchObject({ status: 200 });
  });

  test.each([
    ['/nothing', undefined, 404],
    ['/constructor', undefined, 404],
    ['/livez', { method: 'POST' }, 405],
    ['/livez', { method: 'HEAD' }, 200],
  ])('answers %s %j with %d', async (path, init, status) => {
    expect(await get(path, init)).toMatchObject({ status });
  });

  test('counts a check that throws as failed', async () => {
    const broken = new HealthServer({
      host: '127.0.0.1',
      port: 0,
      ready: { redis: () => Promise.reject(new Error('connection refused')) },
    });
    const address = await broken.start();
    const response = await fetch(`${address.url}/readyz`);
    expect(await response.text()).toContain('[-]redis failed: connection refused');
    await broken.stop();
  });

  test('rejects the start when the port is taken', async () => {
    const second = new HealthServer({ host: '127.0.0.1', port: Number(new URL(url).port) });
    await expect(second.start()).rejects.toThrow('EADDRINUSE');
  });
});
