import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Gaps } from './gaps.js';
import { Histogram } from './histogram.js';
import { Http1ResponseReader, MalformedResponse } from './http1-response.js';
import { wasKilledInFlight } from './killed-in-flight.js';
import { kindOfError, kindOfStatus } from './loss-kind.js';
import type { LoadRequest } from './request.js';
import { Tally } from './tally.js';
import type { Loss } from './types.js';

describe('the histogram', () => {
  test('of nothing is zero', () => {
    expect(new Histogram().quantile(0.5)).toBe(0);
  });

  test('tells every quantile to within three percent above, and the maximum exactly', () => {
    const latencies = fc.array(fc.double({ min: 0.02, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(latencies, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, share) => {
        const histogram = new Histogram();
        for (const value of values) histogram.record(value);
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
        expect(histogram.max).toBe(sorted.at(-1));
        expect(histogram.quantile(share)).toBeGreaterThanOrEqual(exact * 0.999);
        expect(histogram.quantile(share)).toBeLessThanOrEqual(exact * 1.03);
      }),
    );
  });
});

describe('the longest time without a served request', () => {
  test('is counted per target, so that one that stands still is not hidden by the others', () => {
    const gaps = new Gaps(0);
    gaps.begin('a', 0);
    gaps.begin('b', 0);
    for (let at = 10; at <= 1_000; at += 10) {
      gaps.due('a', at - 5);
      gaps.served('a', at - 5, at);
    }
    gaps.due('b', 400);
    expect(gaps.of('a', 1_000)).toBe(5);
    expect(gaps.worst(1_000)).toBe(600);
    expect(gaps.overall(1_000)).toBe(5);
    gaps.served('b', 400, 1_200);
    expect(gaps.worst(2_000)).toBe(800);
  });

  test('does not count while nobody asks', () => {
    const gaps = new Gaps(0);
    gaps.begin('a', 0);
    for (const at of [100, 5_000]) {
      gaps.due('a', at);
      gaps.served('a', at, at + 20);
    }
    expect(gaps.worst(9_000)).toBe(20);
    expect(gaps.overall(9_000)).toBe(20);
  });

  test('goes on past a request that was lost, and begins anew with one that was served while others wait', () => {
    const gaps = new Gaps(0);
    gaps.begin('a', 0);
    gaps.due('a', 100);
    gaps.lost('a');
    gaps.due('a', 150);
    gaps.due('a', 160);
    gaps.served('a', 150, 300);
    expect(gaps.worst(300)).toBe(200);
    expect(gaps.worst(550)).toBe(250);
    gaps.served('a', 160, 350);
    expect(gaps.worst(9_000)).toBe(200);
  });

  test('ends when the target is taken out, and keeps what it was', () => {
    const gaps = new Gaps(0);
    gaps.begin('a', 0);
    gaps.due('a', 30);
    gaps.end('a', 100);
    expect(gaps.of('a', 10_000)).toBe(70);
    gaps.served('a', 30, 10_000);
    expect(gaps.of('a', 10_000)).toBe(70);
  });
});

describe('a mark', () => {
  const request = (dueMs: number): LoadRequest => ({
    target: 'a',
    method: 'GET',
    connection: 'short',
    path: '/',
    body: '',
    dueMs,
    reused: false,
    retries: 0,
    runningSinceMs: 0,
  });

  test('leaves out what was slow before it, and the whole run keeps it', () => {
    const tally = new Tally(0);
    tally.begin('a', 0);
    tally.due(request(0));
    tally.due(request(100));
    tally.served(request(0), 'v1', 900);
    tally.mark(['a'], 1_000);
    tally.served(request(100), 'v1', 1_005);
    for (let at = 1_010; at <= 1_100; at += 10) {
      tally.due(request(at - 2));
      tally.served(request(at - 2), 'v1', at);
    }
    tally.due(request(1_100));
    const report = tally.report(['a'], 1_100);
    expect([report.latencyMs.max, report.maxGapMs]).toEqual([905, 900]);
    expect([report.sinceMark.latencyMs.max, report.sinceMark.maxGapMs]).toEqual([905, 5]);
    expect(tally.sample(0, 1_150).maxGapMs).toBe(50);
  });
});

describe('a request that was in flight in a process that was killed', () => {
  const loss: Loss = {
    target: 'a',
    kind: 'reset',
    method: 'GET',
    connection: 'keepalive',
    dueAtMs: 990,
    sentAtMs: 995,
    openedAtMs: 900,
    atMs: 1_002,
    lookedAtMs: 1_001,
    reused: true,
    detail: '',
  };
  const { openedAtMs: _, ...neverConnected } = loss;

  test.each([
    ['is counted apart', loss, true],
    ['also when it was closed in order', { ...loss, kind: 'closed' }, true],
    ['but not when it was refused', { ...loss, kind: 'refused' }, false],
    ['also when it was written before the client heard of the kill', { ...loss, sentAtMs: 1_296, atMs: 1_297 }, true],
    ['but not when its connection was begun after the kill', { ...loss, openedAtMs: 1_050, atMs: 1_060 }, false],
    ['also when the kill was reported late', { ...loss, sentAtMs: 700, atMs: 720 }, true],
    ['but not when it failed long before', { ...loss, openedAtMs: -3_000, atMs: -2_000 }, false],
    ['but not when it failed long after', { ...loss, atMs: 2_500, lookedAtMs: 2_499 }, false],
    ['also when the client looked only long after', { ...loss, atMs: 9_000, lookedAtMs: 1_500 }, true],
    ['but not when it never got a connection', neverConnected, false],
    ['but not when it was for another target', { ...loss, target: 'b' }, false],
  ] as [string, Loss, boolean][])('%s', (_name, given, expected) => {
    expect(wasKilledInFlight(given, [{ target: 'a', atMs: 1_000 }])).toBe(expected);
  });
});

test.each([
  ['ECONNREFUSED', false, 'refused'],
  ['ECONNRESET', true, 'reset'],
  ['EPIPE', true, 'reset'],
  ['ETIMEDOUT', false, 'timeout'],
  ['EADDRNOTAVAIL', false, 'local'],
  ['EHOSTUNREACH', false, 'unreachable'],
  [undefined, true, 'reset'],
])('the error %s (connected: %s) is %s', (code, connected, kind) => {
  expect(kindOfError(code, connected)).toBe(kind);
});

test.each([
  [200, undefined],
  [302, undefined],
  [404, 'client-error'],
  [503, 'server-error'],
])('status %i is %s', (status, kind) => {
  expect(kindOfStatus(status)).toBe(kind);
});

describe('the reader of answers', () => {
  const answers: [string, string, { status: number; body: string; closes: boolean }][] = [
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', { status: 200, body: 'hello', closes: false }],
    [
      'chunks',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n',
      { status: 200, body: 'hello', closes: false },
    ],
    ['no body', 'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n', { status: 204, body: '', closes: true }],
    [
      'an interim answer before it',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n',
      { status: 503, body: '', closes: false },
    ],
  ];

  test.each(answers)('reads an answer with %s, however it is cut into pieces', (_, text, expected) => {
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 6 }), (cuts) => {
        const edges = [0, ...[...new Set(cuts)].sort((a, b) => a - b), bytes.length];
        const reader = new Http1ResponseReader();
        const whole = edges.slice(1).map((end, at) => reader.take(bytes.subarray(edges[at], end)));
        expect(whole.slice(0, -1).every((each) => each === undefined)).toBe(true);
        const { status, body, closes } = whole.at(-1)!;
        expect({ status, body: body.toString(), closes }).toEqual(expected);
      }),
    );
  });

  test('an answer without a length ends with its connection', () => {
    const reader = new Http1ResponseReader();
    expect(reader.take(Buffer.from('HTTP/1.0 200 OK\r\nx-mesh-version: v2\r\n\r\nhel'))).toBeUndefined();
    reader.take(Buffer.from('lo'));
    expect(reader.end()).toMatchObject({ status: 200, version: 'v2', body: Buffer.from('hello') });
  });

  test.each([
    'hello\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nab',
    'HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  ])('refuses %j', (text) => {
    expect(() => new Http1ResponseReader().take(Buffer.from(text))).toThrow(MalformedResponse);
  });

  test('no bytes make it do anything but wait, answer or refuse', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          new Http1ResponseReader().take(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n'), bytes]));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedResponse);
        }
      }),
    );
  });
});
