import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { leaveOut } from '../left-out.js';
import { startRedis } from './redis.js';
import { findRedisServer } from './redis-server.js';

/** One inline command; resolves with the answer's text. */
const ask = (url: string, command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.write(`${command}\r\n`));
    socket.once('error', reject);
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
  });

const server = await findRedisServer(false).catch((error: Error) => error);

if (server instanceof Error) {
  leaveOut('a private Redis', server.message);
  test('a missing Redis is explained in one line', () => expect(server.message).not.toContain('\n'));
} else {
  describe('a private Redis', () => {
    test('is empty, evicts nothing, and comes back empty on the same address after it was killed', async () => {
      const redis = await startRedis({ shared: false, download: false });
      try {
        expect(await ask(redis.url, 'SET a 1')).toBe('+OK\r\n');
        expect(await ask(redis.url, 'CONFIG GET maxmemory-policy')).toContain('noeviction');
        const url = redis.url;
        await redis.kill();
        await expect(ask(url, 'PING')).rejects.toThrow();
        await redis.start();
        expect(redis.url).toBe(url);
        expect(await ask(url, 'EXISTS a')).toBe(':0\r\n');
      } finally {
        await redis.stop();
      }
    });

    test('keeps its keys over a kill when it is persistent', async () => {
      const redis = await startRedis({ shared: false, download: false, persistent: true });
      try {
        await ask(redis.url, 'SET a 1');
        await redis.kill();
        await redis.start();
        expect(await ask(redis.url, 'EXISTS a')).toBe(':1\r\n');
      } finally {
        await redis.stop();
      }
    });

    test('two of them do not meet', async () => {
      const [one, two] = [
        await startRedis({ shared: false, download: false }),
        await startRedis({ shared: false, download: false }),
      ];
      try {
        await ask(one.url, 'SET a 1');
        expect(await ask(two.url, 'EXISTS a')).toBe(':0\r\n');
      } finally {
        await Promise.all([one.stop(), two.stop()]);
      }
    });
  });
}

describe('the Redis of REDIS_URL', () => {
  const given = process.env.REDIS_URL;
  afterEach(() => {
    if (given === undefined) delete process.env.REDIS_URL;
    else process.env.REDIS_URL = given;
  });

  test.each(['notaurl', 'http://localhost:6379', 'redis://'])(
    'is refused with what is allowed when %s is no address of one',
    async (url) => {
      process.env.REDIS_URL = url;
      await expect(startRedis()).rejects.toThrow('REDIS_URL is no Redis address: allowed are redis://host:port');
    },
  );
});
