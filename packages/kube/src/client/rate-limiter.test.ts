import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../manual-clock.js';
import { RateLimiter } from './rate-limiter.js';

const limiterWith = (qps: number, burst: number) => {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ qps, burst, clock });
  const started: string[] = [];
  const call = (name: string, key = '', signal?: AbortSignal) =>
    limiter.acquire(key, signal).then(() => {
      started.push(name);
    });
  return { clock, limiter, started, call };
};

describe('a rate limiter', () => {
  test('lets a burst through at once and the rest at its pace, in order', async () => {
    const { clock, started, call } = limiterWith(10, 2);
    for (const name of ['a', 'b', 'c', 'd']) void call(name);
    await clock.advance(0);
    expect(started).toEqual(['a', 'b']);
    await clock.advance(100);
    expect(started).toEqual(['a', 'b', 'c']);
    await clock.advance(100);
    expect(started).toEqual(['a', 'b', 'c', 'd']);
  });

  test('saves up no more than its burst', async () => {
    const { clock, started, call } = limiterWith(10, 2);
    await clock.advance(60_000);
    for (const name of ['a', 'b', 'c']) void call(name);
    await clock.advance(0);
    expect(started).toEqual(['a', 'b']);
  });

  test('lets keys take turns, so that many calls for one do not hold up another', async () => {
    const { clock, started, call } = limiterWith(10, 1);
    for (const name of ['big-1', 'big-2', 'big-3', 'big-4']) void call(name, 'big');
    void call('small-1', 'small');
    await clock.advance(1000);
    expect(started).toEqual(['big-1', 'big-2', 'small-1', 'big-3', 'big-4']);
  });

  test('starts nothing while it is paused, and goes on after', async () => {
    const { clock, limiter, started, call } = limiterWith(1000, 10);
    limiter.pause(5000);
    void call('a');
    await clock.advance(4999);
    expect(started).toEqual([]);
    await clock.advance(1);
    expect(started).toEqual(['a']);
  });

  test('lets a caller leave the queue without using up a call', async () => {
    const { clock, limiter, started, call } = limiterWith(10, 1);
    const abort = new AbortController();
    void call('a');
    const leaving = call('b', '', abort.signal);
    void call('c');
    abort.abort();
    await expect(leaving).rejects.toMatchObject({ reason: 'Aborted' });
    await clock.advance(100);
    expect(started).toEqual(['a', 'c']);
    expect(limiter.waiting).toBe(0);
    await expect(limiter.acquire('', abort.signal)).rejects.toMatchObject({ reason: 'Aborted' });
  });

  test('leaves nothing behind at a signal that outlives the call', async () => {
    const { clock, call } = limiterWith(10, 1);
    const { signal } = new AbortController();
    for (let i = 0; i < 5; i++) void call(String(i), '', signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(4);
    await clock.advance(1_000);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('keeps to its rate over any length of time', async () => {
    const { clock, started, call } = limiterWith(7, 3);
    for (let i = 0; i < 200; i++) void call(String(i), String(i % 5));
    await clock.advance(10_000);
    expect(started.length).toBeGreaterThanOrEqual(70);
    expect(started.length).toBeLessThanOrEqual(73);
  });
});
