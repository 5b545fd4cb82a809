import { Redis } from 'ioredis';
import type { Platform } from '../../platform/platform.js';

const PREFIX = `{sidestep}:run-${process.pid}`;
const STATES = ['wait', 'prioritized', 'active', 'delayed'];

/** One step of Redis, so that no job can come or go between the look and the deed. Empties it only where there is something. */
const COUNT_AND_FLUSH = `
local jobs = 0
for _, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind == 'list' then jobs = jobs + redis.call('LLEN', key) end
  if kind == 'zset' then jobs = jobs + redis.call('ZCARD', key) end
end
if jobs > 0 and ARGV[1] == 'flush' then redis.call('FLUSHALL') end
return jobs`;

const withRedis = async <T>({ redis }: Platform, act: (client: Redis) => Promise<T>): Promise<T> => {
  const client = new Redis(redis?.url ?? '', { maxRetriesPerRequest: 1 });
  try {
    return await act(client);
  } finally {
    client.disconnect();
  }
};

const run = (platform: Platform, states: readonly string[], deed: 'look' | 'flush'): Promise<number> =>
  withRedis(platform, async (client) => {
    const keys = states.map((state) => `${PREFIX}:${state}`);
    return Number(await client.eval(COUNT_AND_FLUSH, keys.length, ...keys, deed));
  });

/** Phase jobs in the queue, waiting, running or put off. */
export const jobsIn = (platform: Platform): Promise<number> => run(platform, STATES, 'look');

export const runningJobs = (platform: Platform): Promise<number> => run(platform, ['active'], 'look');

/** Empties Redis if there is a phase job in it; resolves with how many there were. */
export const flushIfFilled = (platform: Platform): Promise<number> => run(platform, STATES, 'flush');

/** Another one after the queue lost what it held and somebody noticed; empty until then. */
export const generationOf = (platform: Platform): Promise<string> =>
  withRedis(platform, async (client) => (await client.get(`${PREFIX}:generation`)) ?? '');
