import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { leaveOut, type RedisHandle, startRedis } from '@sidestep/testkit';
import { Redis } from 'ioredis';
import { type PhaseJob, phaseJobId } from './phase-job.js';
import { describePhaseQueue } from './phase-queue.contract.js';
import type { QueueEvent } from './port.js';
import { soon, until } from './queue-bench.contract.js';
import { RedisPhaseQueue } from './redis-phase-queue.js';

/**
 * Fast enough for a test; the ratio between them is that of production. A machine that stands still for longer than half a lock
 * takes the job away from its worker.
 */
const timing = { lockMs: 5_000, stalledCheckMs: 2_500 };

const orLeaveOut = (what: string, starting: Promise<RedisHandle>): Promise<RedisHandle | undefined> =>
  starting.catch((error: Error) => {
    leaveOut(what, error.message);
    return undefined;
  });

const redis = await orLeaveOut('the phase queue on Redis', startRedis({ shared: false }));
const cluster = await orLeaveOut('the phase queue on a Redis Cluster', startRedis({ cluster: true }));

let count = 0;
const fresh = (): string => {
  count += 1;
  return `phases-${count}`;
};

/** The contract suite on a queue of that server. */
const describeContract = (name: string, server: RedisHandle, flush: () => Promise<unknown>): void => {
  describePhaseQueue(name, async () => {
    const events: QueueEvent[] = [];
    const opened: RedisPhaseQueue[] = [];
    const queueName = fresh();
    const open = (): RedisPhaseQueue => {
      const observe = (event: QueueEvent) => events.push(event);
      const queue = new RedisPhaseQueue({ url: server.url, name: queueName, timing, observe });
      opened.push(queue);
      return queue;
    };
    return {
      queue: open(),
      events,
      another: open,
      loseEverything: async () => {
        await flush();
      },
      cutOff: () => server.kill(),
      bringBack: () => server.start(),
      stop: async () => {
        await Promise.all(opened.map((queue) => queue.close()));
      },
    };
  });
};

const describeOnCluster = (server: RedisHandle): void => {
  const client = new Redis(server.url.replace('redis+cluster', 'redis'), { lazyConnect: true });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });
  describeContract('on a Redis Cluster', server, () => client.flushall());
};

const describeOnRedis = (server: RedisHandle): void => {
  const client = new Redis(server.url, { lazyConnect: true });

  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  describeContract('on Redis', server, () => client.flushall());

  describe('the phase queue on Redis', () => {
    const job = {
      namespace: 'shop',
      pod: 'a',
      uid: 'u',
      sidecarSet: 'mesh-set',
      revision: 'r2',
      phase: 'upgrade' as const,
      attempt: 1,
    };
    let events: QueueEvent[];
    let queue: RedisPhaseQueue;
    let name: string;

    beforeAll(() => {
      name = fresh();
      events = [];
      queue = new RedisPhaseQueue({ url: server.url, name, timing, observe: (event) => events.push(event) });
    });

    afterAll(() => queue.close());

    test('puts every key of a queue into one slot of a cluster, and leaves none behind but its own bookkeeping', async () => {
      const consumer = await queue.consume(async () => ({ kind: 'done' }), { concurrency: 2 });
      await queue.enqueue([job, { ...job, pod: 'b', uid: 'v' }]);
      const isEmpty = async (): Promise<boolean> => Object.values(await queue.depth()).every((count) => count === 0);
      await until('the queue is empty', isEmpty);
      await consumer.close();
      const keys = await client.keys(`*${name}*`);
      expect(keys.length).toBeGreaterThan(0);
      expect(keys.filter((key) => !key.startsWith('{sidestep}:'))).toEqual([]);
      expect(keys.filter((key) => key.includes('.upgrade.'))).toEqual([]);
    });

    test('lets a note of while a job ran take nothing back that was asked for after it', async () => {
      const note = { epoch: 3, askedAt: 1_000, pickedUnready: true };
      const notes = [note, { ...note, askedAt: 3_000 }, { ...note, epoch: 4 }, { ...note, epoch: 2, askedAt: 3_000 }];
      const jobs = notes.map((_, index) => ({ ...job, pod: `p${index}`, uid: `u${index}`, epoch: 3, askedAt: 2_000 }));
      await queue.enqueue(jobs);
      for (const [index, one] of jobs.entries()) {
        const key = `{sidestep}:${name}:${phaseJobId(one)}:again`;
        await client.hset(key, { options: '{}', data: JSON.stringify({ ...one, ...notes[index] }) });
        await queue.settle(one);
      }
      const seen: PhaseJob[] = [];
      const handler = async (one: PhaseJob) => {
        seen.push(one);
        return { kind: 'done' } as const;
      };
      const consumer = await queue.consume(handler, { concurrency: 1 });
      await until('all ran', () => seen.length === jobs.length);
      await consumer.close();
      expect(seen.map(({ pod, pickedUnready = false }) => [pod, pickedUnready])).toEqual([
        ['p0', false],
        ['p1', true],
        ['p2', true],
        ['p3', false],
      ]);
    });

    test('drops what somebody else put into it and is no job', async () => {
      const { Queue } = await import('bullmq');
      const foreign = new Queue(name, { connection: client, prefix: '{sidestep}' });
      await foreign.add('phase', { hello: 'world' }, { jobId: 'not-a-job' });
      const consumer = await queue.consume(async () => ({ kind: 'done' }), { concurrency: 1 });
      await until('it was dropped', () => events.some((event) => event.kind === 'job-malformed'));
      await consumer.close();
      await foreign.close();
      expect(events).toContainEqual({ kind: 'job-malformed', id: 'not-a-job' });
    });

    test('warns of a Redis that evicts keys when it is full', async () => {
      await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      const heard: QueueEvent[] = [];
      const other = new RedisPhaseQueue({ url: server.url, name: fresh(), observe: (event) => heard.push(event) });
      await until('it warned', () => heard.length > 0);
      await other.close();
      await client.config('SET', 'maxmemory-policy', 'noeviction');
      expect(heard).toEqual([{ kind: 'warning', message: expect.stringContaining('allkeys-lru') }]);
    });

    test('refuses producers soon when Redis is full, and takes jobs again once there is room', async () => {
      const full = new RedisPhaseQueue({ url: server.url, name: fresh(), timing });
      await full.enqueue([job]);
      await client.config('SET', 'maxmemory', '1');
      const refused = { code: 'QUEUE_UNAVAILABLE', retry: 'backoff' };
      const second = { ...job, pod: 'b', uid: 'v' };
      await expect(soon('a job to be refused', full.enqueue([second]))).rejects.toMatchObject(refused);
      await client.config('SET', 'maxmemory', '0');
      await full.enqueue([second]);
      expect(await full.depth()).toMatchObject({ waiting: 2 });
      await full.close();
    });

    test('does not wait for a Redis that was never there, and works once it is', async () => {
      await server.kill();
      const early = new RedisPhaseQueue({ url: server.url, name: fresh(), timing });
      const seen: string[] = [];
      await early.consume(
        async ({ pod }) => {
          seen.push(pod);
          return { kind: 'done' };
        },
        { concurrency: 1 },
      );
      await expect(early.enqueue([job])).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
      await server.start();
      await until('the queue takes jobs', () =>
        early.enqueue([job]).then(
          () => true,
          () => false,
        ),
      );
      await until('the job ran', () => seen.length > 0);
      await early.close();
      expect(seen).toEqual(['a']);
    });
  });
};

if (cluster !== undefined) describeOnCluster(cluster);
if (redis !== undefined) describeOnRedis(redis);
else test('there is no Redis to test with, which npm test reports', () => expect(redis).toBeUndefined());
