import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
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
  // Few enough for the slowest machine that runs this: an overloaded one loses requests for real.
  rate: 100,
  keepalive: 4,
  shortShare: 0.3,
  postShare: 0.5,
  timeoutMs: 30_000,
  ...more,
});

const until = async (condition: () => boolean): Promise<void> => {
  const end = Date.now() + 60_000;
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
    await until(() => load.sample().served >= 100);
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

  test('a machine that stands still for longer than a request may take loses nothing and has nothing to catch up', async () => {
    const load = new LoadGenerator(options(await serve(echo), { timeoutMs: 500, standstillMs: 100 })).start();
    await until(() => load.sample().served >= 20);
    const { requests } = load.sample();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000);
    await new Promise((resolve) => setImmediate(resolve));
    await until(() => load.sample().served > requests);
    expect(load.sample().requests - requests).toBeLessThan(150);
    expect((await load.stop()).lost).toBe(0);
  });

  test('what falls due at a target while too many wait there is not sent, and what waits is not forgotten', async () => {
    const address = await serve(() => {});
    const load = new LoadGenerator(options(address, { timeoutMs: 1_500, mostInFlight: 3 })).start();
    await until(() => load.sample().lost >= 3);
    const report = await load.stop();
    expect(report.peakInFlight).toBe(3);
    expect(report.heldBack).toBeGreaterThan(report.requests);
    expect(report.lost).toBe(report.requests);
  });

  test('an idle connection that the server closes is opened anew and loses nothing', async () => {
    const address = await serve((_, response, body) => response.setHeader('connection', 'close').end(body));
    const load = new LoadGenerator(options(address, { shortShare: 0 })).start();
    await until(() => load.sample().served >= 100);
    const report = await load.stop();
    expect(report.lost).toBe(0);
    expect(report.reconnects).toBeGreaterThan(50);
  });

  test('targets come and go, and the rate changes, while it runs', async () => {
    const [first, second] = [await serve(echo), await serve(echo)];
    const load = new LoadGenerator(options(first)).start();
    await until(() => load.sample().served >= 20);
    load.add(second);
    load.setRate(200);
    const before = load.sample().served;
    await until(() => load.sample().served >= before + 100);
    await load.remove(first);
    await until(() => load.sample().served >= before + 200);
    const { byTarget, lost } = await load.stop();
    expect(lost).toBe(0);
    expect(byTarget[second]?.served).toBeGreaterThan(byTarget[first]?.served ?? 0);
  });

  test('a target that is removed has been left only when all that was in flight there has its answer', async () => {
    let held: http.ServerResponse | undefined;
    const address = await serve((_, response) => {
      if (held) response.end();
      else held = response;
    });
    const load = new LoadGenerator(options(address, { postShare: 0 })).start();
    await until(() => load.sample().served >= 5);
    let isLeft = false;
    const left = load.remove(address).then(() => {
      isLeft = true;
    });
    await until(() => load.sample().inFlight === 1);
    expect(isLeft).toBe(false);
    held?.end();
    await left;
    expect((await load.stop()).lost).toBe(0);
  });

  test('rises to its rate evenly: while it does, half of the full number is due', async () => {
    const load = new LoadGenerator(options(await serve(echo), { rate: 200, rampMs: 1_000 })).start();
    await until(() => load.sample().requests >= 120);
    const { requests, durationMs } = await load.stop();
    // By the schedule, however late the timers were.
    expect(requests).toBeLessThanOrEqual((durationMs - 500) / 5 + 1);
  });

  test('a server that stands still shows as a gap, and its requests as late from when they were due', async () => {
    let held: (() => void)[] | undefined;
    const address = await serve((_, response, body) => {
      if (held) held.push(() => response.end(body));
      else response.end(body);
    });
    const load = new LoadGenerator(options(address)).start();
    await until(() => load.sample().served >= 50);
    held = [];
    await until(() => load.sample().maxGapMs >= 150);
    const waiting = held;
    held = undefined;
    for (const answer of waiting) answer();
    const report = await load.stop();
    expect(report.lost).toBe(0);
    expect(report.maxGapMs).toBeGreaterThanOrEqual(150);
    expect(report.latencyMs.max).toBeGreaterThanOrEqual(100);
  });

  test('what a killed process held is counted apart, and bounded by what it held', async () => {
    const sockets = new Set<Socket>();
    const address = await serve((request) => sockets.add(request.socket));
    const load = new LoadGenerator(options(address, { timeoutMs: 5_000 })).start();
    await until(() => load.sample().inFlight >= 10);
    const atMs = performance.timeOrigin + performance.now();
    for (const socket of sockets) socket.resetAndDestroy();
    load.markKilled(address, atMs);
    await until(() => load.sample().killedInFlight >= 5);
    const sample = load.sample();
    servers[0]?.closeAllConnections();
    const report = await load.stop();
    expect(sample.killedInFlight).toBeLessThanOrEqual(report.inFlightAtKills);
    expect(report.losses[0]).toMatchObject({ kind: 'reset', target: address });
  });
});

describe('the load generator over HTTP/2', () => {
  const h2Servers: http2.Http2Server[] = [];
  const serveH2 = async (answer: (stream: http2.ServerHttp2Stream, body: string) => void): Promise<string> => {
    const server = http2.createServer();
    server.on('stream', (stream) => {
      let body = '';
      stream.on('data', (part) => {
        body += part;
      });
      // A stream that came after the goodbye is refused by Node itself.
      stream.on('end', () => stream.destroyed || answer(stream, body));
      stream.on('error', () => undefined);
    });
    h2Servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  // A machine that stood still is not caught up with: so many at once meet more goodbyes than a request may be sent again.
  const onlyH2 = { shortShare: 0, h2Share: 1, standstillMs: 300 };

  afterEach(() => {
    for (const server of h2Servers.splice(0)) server.close();
  });

  test('loses nothing when the server says goodbye and takes no more streams on a connection', async () => {
    let answers = 0;
    const address = await serveH2((stream, body) => {
      stream.respond({ ':status': 200, 'x-mesh-version': 'v2' });
      stream.end(body);
      if (++answers % 25 === 0) stream.session?.close();
    });
    const load = new LoadGenerator(options(address, onlyH2)).start();
    await until(() => load.sample().served >= 100);
    const report = await load.stop();
    expect(report).toMatchObject({ lost: 0, versions: { v2: report.served } });
    expect(report.connections.opened).toBeGreaterThan(2);
  });

  test('sends a refused stream again, and gives up when it is refused for ever', async () => {
    let seen = 0;
    const address = await serveH2((stream, body) => {
      if (++seen % 2 === 0) stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
      else stream.respond({ ':status': 200 });
      if (!stream.closed) stream.end(body);
    });
    const load = new LoadGenerator(options(address, onlyH2)).start();
    await until(() => load.sample().served >= 50);
    expect((await load.stop()).retriedStreams).toBeGreaterThan(0);
    const never = await serveH2((stream) => stream.close(http2.constants.NGHTTP2_REFUSED_STREAM));
    const hopeless = new LoadGenerator(options(never, onlyH2)).start();
    await until(() => hopeless.sample().lost >= 5);
    expect(Object.keys((await hopeless.stop()).lostByKind)).toEqual(['refused-stream']);
  });
});
