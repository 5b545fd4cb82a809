import { Cluster, Redis } from 'ioredis';
import { PhaseQueueError } from './errors.js';

/** Either a single Redis (or what speaks its protocol) or a Redis Cluster. */
export type RedisClient = Redis | Cluster;

const LONGEST_RECONNECT_MS = 1_000;

/** Short and jittered: consumers are back well within five seconds of Redis's return, and do not all come at once. */
export const reconnectDelayMs = (times: number, random = Math.random()): number =>
  Math.round(Math.min(50 * 2 ** Math.min(times, 10), LONGEST_RECONNECT_MS) * (0.75 + random / 4));

type Role = 'producer' | 'consumer';

/**
 * Producers fail fast instead of queueing commands that nobody may ever send. Consumers wait for Redis: BullMQ demands it, and
 * their blocking read has no deadline of its own.
 */
const OPTIONS = {
  producer: { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 5_000 },
  consumer: { maxRetriesPerRequest: null },
} as const;

const invalidUrl = (part: string, cause?: unknown): PhaseQueueError =>
  new PhaseQueueError('QUEUE_URL_INVALID', `Not a Redis address: "${withoutPassword(part)}"`, {
    hint: 'Use redis://host:port, rediss://host:port (TLS), or redis+cluster://host:port[,host:port...] for a Redis Cluster.',
    ...(cause === undefined ? {} : { cause }),
  });

/** The address without its password, for logs. */
export const withoutPassword = (url: string): string => url.replace(/\/\/[^@/]*@/, '//***@');

interface Target {
  cluster: boolean;
  tls: boolean;
  urls: string[];
}

/** Reads `REDIS_URL`. Throws `QUEUE_URL_INVALID`. */
export const parseRedisUrl = (text: string): Target => {
  const scheme = /^(redis|rediss)(\+cluster)?:\/\//.exec(text);
  if (scheme === null) throw invalidUrl(text);
  const tls = scheme[1] === 'rediss';
  const urls = text
    .slice(scheme[0].length)
    .split(',')
    .map((address) => `${tls ? 'rediss' : 'redis'}://${address}`);
  for (const url of urls) {
    if (!URL.canParse(url) || new URL(url).hostname === '') throw invalidUrl(url);
  }
  return { cluster: scheme[2] !== undefined || urls.length > 1, tls, urls };
};

const clusterClient = (target: Target, role: Role): Cluster => {
  const { username, password } = new URL(target.urls[0] ?? '');
  const { enableOfflineQueue, ...perNode } = { enableOfflineQueue: true, ...OPTIONS[role] };
  const redisOptions = {
    ...perNode,
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(target.tls ? { tls: {} } : {}),
  };
  const clusterRetryStrategy = (times: number): number => reconnectDelayMs(times);
  return new Cluster(target.urls, { enableOfflineQueue, clusterRetryStrategy, redisOptions });
};

/** Opens a connection and keeps it open; it reconnects by itself until it is closed. */
export const connectRedis = (url: string, role: Role): RedisClient => {
  const target = parseRedisUrl(url);
  if (target.cluster) return clusterClient(target, role);
  const retryStrategy = (times: number): number => reconnectDelayMs(times);
  return new Redis(target.urls[0] ?? '', { ...OPTIONS[role], retryStrategy });
};

/** Resolves true once the connection can be used, false after `waitMs`. */
export const untilReady = async (client: RedisClient, waitMs: number): Promise<boolean> => {
  if (client.status === 'ready') return true;
  if (client.status === 'end') return false;
  return new Promise((resolve) => {
    const settle = (ready: boolean) => () => {
      clearTimeout(timer);
      client.off('ready', onReady);
      client.off('end', onEnd);
      resolve(ready);
    };
    const onReady = settle(true);
    const onEnd = settle(false);
    const timer = setTimeout(onEnd, waitMs);
    client.on('ready', onReady);
    client.on('end', onEnd);
  });
};
