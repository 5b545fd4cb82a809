import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { LoadGenerator } from './generator.js';
import type { LoadOptions } from './types.js';

type Answer = (request: http.IncomingMessage, response: http.ServerResponse, body: string) => void;

const echo: Answer = (_, response, body) => response.setHeader('x-mesh-version', 'v1').end(body);
const servers: http.Server[] = [];

const serve = async (answer: Answer): Promise<string> => {
  const server = http.createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => answer(request, response, Buffer.concat(parts).toString()));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const options = (target: string, more: Partial<LoadOptions> = {}): LoadOptions => ({
  targets: [target],
  rate: 500,
  keepalive: 4,
  shortShare: 0.3,
  postShare: 0.5,
  timeoutMs: 2_000,
  ...more,
});

const until = async (condition: () => boolean): Promise<void> => {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error('the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('the load generator', () => {
  test('counts every request as served when the server is well, and tells which version answered', async () => {
    const load = new LoadGenerator(options(await serve(echo))).start();
    await until(() => load.sample().served >= 300);
    const report = await load.stop();
    expect(report.lost).toBe(0);
    expect(report.served).toBe(report.requests);
    expect(report.versions).toEqual({ v1: report.served });
    const { get, post, short, keepalive } = report.byKind;
    expect([get, post, short, keepalive].every((count) => count > 0)).toBe(true);
  });

  test.each([
    ['server-error', (_: unknown, response: http.ServerResponse) => response.writeHead(503).end()],
    ['bad-body', (_: unknown, response: http.ServerResponse) => response.end('something else')],
    ['reset', (request: http.IncomingMessage) => request.socket.resetAndDestroy()],
    ['closed', (request: http.IncomingMessage) => request.socket.destroy()],
    ['unparsable', (request: http.IncomingMessage) => request.socket.end('hello\r\n\r\n')],
  ] as [string, Answer][])('counts a request as lost by %s', async (kind, answer) => {
    const load = new LoadGenerator(options(await serve(answer), { postShare: 1 })).start();
    await until(() => load.sample().lost >= 20);
    const report = await load.stop();
    expect(Object.keys(report.lostByKind)).toEqual([kind]);
    expect(report.lost).toBe(report.requests);
  });

  test('counts a refused connection and a silent server', async () => {
    const address = await serve(() => {});
    const silent = new LoadGenerator(options(address, { timeoutMs: 50 })).start();
    await until(() => silent.sample().lost >= 5);
    expect(Object.keys((await silent.stop()).lostByKind)).toEqual(['timeout']);
    servers.splice(0).forEach((server) => {
      server.closeAllConnections();
      server.close();
    });
    const refused = new LoadGenerator(options(address)).start();
    await until(() => refused.sample().lost >= 5);
    expect(Object.keys((await refused.stop()).lostByKind)).toEqual(['refused']);
  });

  test('an idle connection that the server closes is opened anew and loses nothing', async () => {
    const address = await serve((_, response, body) => response.setHeader('connection', 'close').end(body));
    const load = new LoadGenerator(options(address, { shortShare: 0 })).start();
    await until(() => load.sample().served >= 100);
    const report = await load.stop();
    expect(report.lost).toBe(0);
    expect(report.reconnects).toBeGreaterThan(50);
  });
});
