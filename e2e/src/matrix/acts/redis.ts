// What happens to Redis.
import { Redis } from 'ioredis';
import { act } from '../row.js';
import type { Stage } from '../stage.js';

const withRedis = async (stage: Stage, commands: (redis: Redis) => Promise<unknown>): Promise<void> => {
  const redis = new Redis(stage.world.platform.redis!.url, { maxRetriesPerRequest: 1 });
  try {
    await commands(redis);
  } finally {
    redis.disconnect();
  }
};

const STALL_MS = 400;
const STALLS = 8;

const memory = (stage: Stage, limit: string): Promise<void> =>
  withRedis(stage, (client) => client.config('SET', 'maxmemory', limit));

export const redis = {
  killed: act('Redis is killed with SIGKILL', async (stage) => {
    const server = stage.world.platform.redis!;
    stage.atEnd(async () => {
      if (server.pid() === undefined) await server.start();
    });
    await server.kill('SIGKILL');
  }),
  startsEmpty: act('it starts again, empty', (stage) => stage.world.platform.redis!.start()),
  flushed: act('Redis loses everything (FLUSHALL)', (stage) => withRedis(stage, (client) => client.flushall())),
  slow: act(`Redis answers only after ${STALL_MS} ms, ${STALLS} times`, (stage) =>
    withRedis(stage, async (client) => {
      for (let stall = 0; stall < STALLS; stall += 1) {
        await client.client('PAUSE', STALL_MS, 'ALL');
        await client.ping();
      }
    }),
  ),
  outOfMemory: act('Redis is out of memory and refuses writes', async (stage) => {
    stage.atEnd(() => memory(stage, '0'));
    await memory(stage, '1');
  }),
  hasMemory: act('Redis has memory again', (stage) => memory(stage, '0')),
};
