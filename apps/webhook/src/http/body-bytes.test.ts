import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { pod, podRequest, review } from '../../test/reviews.js';
import { serveEndpoints } from '../../test/served-endpoints.js';
import { BodyBytes } from './body-bytes.js';

const KIB = 1024;
const MOST = 1024 * KIB;

const body = (length: number) => review(podRequest(pod())).padEnd(length);

describe('the bytes of bodies', () => {
  let served: Awaited<ReturnType<typeof serveEndpoints>>;

  beforeEach(async () => {
    served = await serveEndpoints({}, MOST);
  });

  afterEach(() => served.stop());

  const held = async () => (await served.metrics.admissionBytesInFlight.get()).values[0]?.value;
  const inFlight = async () => (await served.metrics.admissionInFlight.get()).values[0]?.value;

  const until = async (holds: () => Promise<boolean>) => {
    const deadline = Date.now() + 60_000;
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error('it did not come to that');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  /** A request that announces 8 MiB and sends so much. */
  const slow = (sent: number) => {
    const headers = { 'content-type': 'application/json', 'content-length': 8 * 1024 * KIB };
    const request = httpRequest(`${served.url}mutate-pod`, { method: 'POST', headers });
    request.once('error', () => undefined);
    request.write(' '.repeat(sent));
    return request;
  };

  test('that are too many are refused with 503 and when to come back, and taken once there is room', async () => {
    const first = slow(700 * KIB);
    await until(async () => (await held()) === 700 * KIB);
    const large = body(400 * KIB);
    const refused = await served.post('mutate-pod', large);
    expect(refused).toEqual({ status: 503, text: 'too many bytes at once\n', retryAfter: '1' });
    expect(await served.post('mutate-pod', body(1))).toMatchObject({ status: 200, retryAfter: null });
    first.destroy();
    await until(async () => (await inFlight()) === 0);
    expect((await served.post('mutate-pod', large)).status).toBe(200);
    expect(await held()).toBe(0);
    expect(await served.metrics.registry.metrics()).toMatch(
      /admission_refused_total\{webhook="mutate-pod",reason="Http503"\} [1-9]/,
    );
  });

  test('are those that came, not those that were announced', async () => {
    const all = Array.from({ length: 10 }, () => slow(1));
    await until(async () => (await inFlight()) === 10);
    expect((await served.post('mutate-pod', body(900 * KIB))).status).toBe(200);
    for (const each of all) each.destroy();
  });

  test('of one that is alone may be more than all together may be', async () => {
    expect((await served.post('mutate-pod', body(3 * MOST))).status).toBe(200);
    expect(await held()).toBe(0);
  });
});

test('never are more held than allowed, unless by one, and all come back', () => {
  const steps = fc.array(fc.tuple(fc.nat(4), fc.integer({ min: 0, max: 60 })), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (moves) => {
      let held = 0;
      const bytes = new BodyBytes(100, (now) => {
        held = now;
      });
      const shares = Array.from({ length: 5 }, () => ({ share: bytes.share(), own: 0 }));
      for (const [index, amount] of moves) {
        const one = shares[index];
        if (one === undefined) continue;
        if (amount === 0) {
          one.share.giveBack();
          one.own = 0;
        } else if (one.share.take(amount)) one.own += amount;
        const holders = shares.filter(({ own }) => own > 0);
        expect(held).toBe(holders.reduce((sum, { own }) => sum + own, 0));
        expect(held <= 100 || holders.length === 1).toBe(true);
      }
      for (const { share } of shares) share.giveBack();
      expect(held).toBe(0);
    }),
  );
});
