import { describe, expect, test } from '@jest/globals';
import { parseRedisUrl, reconnectDelayMs, withoutPassword } from './redis-connect.js';

describe('the address of Redis', () => {
  test.each([
    ['redis://10.0.0.1:6379', { cluster: false, tls: false, urls: ['redis://10.0.0.1:6379'] }],
    [
      'rediss://user:secret@redis.shop:6380/2',
      { cluster: false, tls: true, urls: ['rediss://user:secret@redis.shop:6380/2'] },
    ],
    ['redis+cluster://a:7000', { cluster: true, tls: false, urls: ['redis://a:7000'] }],
    ['redis://a:7000,b:7001', { cluster: true, tls: false, urls: ['redis://a:7000', 'redis://b:7001'] }],
    ['rediss+cluster://a:7000,b:7001', { cluster: true, tls: true, urls: ['rediss://a:7000', 'rediss://b:7001'] }],
  ])('%s is read', (text, expected) => {
    expect(parseRedisUrl(text)).toEqual(expected);
  });

  test.each(['', 'localhost:6379', 'http://redis:6379', 'redis://', 'redis://a:7000,', 'redis://:secret@:99999'])(
    'refuses "%s" with a hint, and never shows a password',
    (text) => {
      expect(() => parseRedisUrl(text)).toThrow(expect.objectContaining({ code: 'QUEUE_URL_INVALID' }) as Error);
      expect(() => parseRedisUrl(text)).not.toThrow(/secret/);
    },
  );

  test('is shown without its password', () => {
    expect(withoutPassword('rediss://user:secret@redis.shop:6380/2')).toBe('rediss://***@redis.shop:6380/2');
    expect(withoutPassword('redis://redis.shop:6380')).toBe('redis://redis.shop:6380');
  });
});

test('reconnecting is tried at least once a second, so that consumers are back soon after Redis', () => {
  for (let times = 1; times < 100; times += 1) {
    expect(reconnectDelayMs(times, 1)).toBeLessThanOrEqual(1_000);
    expect(reconnectDelayMs(times, 0)).toBeGreaterThan(0);
  }
});
