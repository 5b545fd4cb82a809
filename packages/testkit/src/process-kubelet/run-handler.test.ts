import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Handler } from './pod-spec.js';
import { runHandler } from './run-handler.js';

let server: http.Server;
let port: number;
const asked: { url: string | undefined; header: string | string[] | undefined }[] = [];

beforeAll(async () => {
  server = http.createServer((request, response) => {
    asked.push({ url: request.url, header: request.headers['x-probe'] });
    if (request.url === '/silent') return;
    response.writeHead(Number(request.url?.slice(1)) || 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const place = (more: { timeoutMs?: number; endsWith?: AbortSignal[] } = {}) => ({
  container: { name: 'c', image: 'i', ports: [{ name: 'web', containerPort: port }] },
  podIP: '127.0.0.1',
  env: { PATH: process.env.PATH ?? '', GREETING: 'hello' },
  cwd: '/',
  translate: (text: string) => text.replace('/inside', '/outside'),
  ...more,
});
const run = (handler: Handler, more = {}) => runHandler(handler, place(more));

describe('a probe or hook', () => {
  test.each([
    ['/', true],
    ['/399', true],
    ['/404', false],
    ['/503', false],
  ])('by HTTP at %s: %s', async (path, ok) => {
    expect((await run({ httpGet: { path, port } })).ok).toBe(ok);
  });

  test('by HTTP finds a port by its name and sends its headers', async () => {
    const httpHeaders = [{ name: 'x-probe', value: 'yes' }];
    expect((await run({ httpGet: { path: '/200', port: 'web', httpHeaders } })).ok).toBe(true);
    expect(asked.at(-1)).toEqual({ url: '/200', header: 'yes' });
  });

  test('by HTTP fails when no answer comes in time', async () => {
    expect(await run({ httpGet: { path: '/silent', port } }, { timeoutMs: 30 })).toEqual({
      ok: false,
      message: 'context deadline exceeded',
    });
  });

  test('by TCP succeeds where somebody listens, and nowhere else', async () => {
    expect((await run({ tcpSocket: { port } })).ok).toBe(true);
    expect((await run({ tcpSocket: { port: 1 } })).ok).toBe(false);
  });

  test('by a command goes by its exit code, with the variables and paths of the container', async () => {
    expect((await run({ exec: { command: ['sh', '-c', '[ "$GREETING /outside" = "hello /inside" ]'] } })).ok).toBe(
      true,
    );
    expect(await run({ exec: { command: ['sh', '-c', 'echo why; exit 4'] } })).toEqual({
      ok: false,
      message: 'exit 4: why\n',
    });
    expect((await run({ exec: { command: ['no-such-program'] } })).ok).toBe(false);
    expect((await run({ exec: { command: [] } })).ok).toBe(false);
  });

  test('by a command is ended when its time is up, with everything that it started', async () => {
    const result = await run({ exec: { command: ['sh', '-c', 'sleep 600 & sleep 600'] } }, { timeoutMs: 50 });
    expect(result.ok).toBe(false);
    expect(result.message).toContain('timed out');
  });

  test('ends with its container', async () => {
    const gone = new AbortController();
    const running = run({ exec: { command: ['sleep', '600'] } }, { endsWith: [gone.signal] });
    const waiting = run({ sleep: { seconds: 600 } }, { endsWith: [gone.signal] });
    gone.abort();
    expect([(await running).ok, (await waiting).ok]).toEqual([false, false]);
  });

  test('ends with the first of several signals', async () => {
    const [gone, deleted] = [new AbortController(), new AbortController()];
    const endsWith = [gone.signal, deleted.signal];
    const running = run({ exec: { command: ['sleep', '600'] } }, { endsWith });
    const waiting = run({ sleep: { seconds: 600 } }, { endsWith });
    deleted.abort();
    expect([(await running).ok, (await waiting).ok]).toEqual([false, false]);
  });

  test('ends at once where its container has ended already', async () => {
    expect((await run({ sleep: { seconds: 600 } }, { endsWith: [AbortSignal.abort()] })).ok).toBe(false);
  });

  test('without an action fails', async () => {
    expect((await run({})).ok).toBe(false);
  });
});
