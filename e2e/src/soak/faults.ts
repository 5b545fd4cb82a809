import type { FaultRule } from '@sidestep/testkit';
import { Redis } from 'ioredis';
import type { Service } from '../platform/service.js';
import type { World } from '../world/world.js';
import type { Random } from './random.js';

const SIDESTEP = 'sidestep-upgrade-worker';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Something that goes wrong for a while; resolves when it is over. */
export interface Fault {
  name: string;
  run(world: World, random: Random): Promise<void>;
}

const rule = (name: string, make: (random: Random) => FaultRule): Fault => ({
  name,
  run: async ({ platform }, random) => {
    const id = await platform.faults.add(make(random));
    await pause(random.between(500, 2_000));
    await platform.faults.remove(id);
  },
});

const servicesOf = ({ platform }: World, prefix: string): Service[] =>
  [...platform.services.values()].filter(({ spec }) => spec.name.startsWith(prefix));

/** The first of each kind is spared, so that one process lives long enough to show whether it grows. */
const killAndReplace = (prefix: string): Fault => ({
  name: `a ${prefix} is killed`,
  run: async (world, random) => {
    const victim = random.pick(servicesOf(world, prefix).slice(1));
    await victim.kill('SIGKILL');
    await victim.start();
  },
});

const withRedis = async ({ platform }: World, act: (client: Redis) => Promise<unknown>): Promise<void> => {
  const client = new Redis(platform.redis?.url ?? '', { maxRetriesPerRequest: 1 });
  await act(client).finally(() => client.disconnect());
};

const refuse = (code: number): Fault =>
  rule(`the API server answers ${code} to every third request`, () => ({
    match: { userAgent: SIDESTEP },
    probability: 0.3,
    effect: { kind: 'status', code, ...(code === 429 ? { retryAfterSeconds: 1 } : {}) },
  }));

/** Whatever may fail, in proportions that leave a rollout time to move. */
export const FAULTS: readonly Fault[] = [
  refuse(409),
  refuse(429),
  refuse(500),
  rule('pod writes are done and not answered', () => ({
    match: { verbs: ['patch'], resource: 'pods/', userAgent: SIDESTEP },
    count: 5,
    effect: { kind: 'disconnectAfter' },
  })),
  {
    // Frozen meanwhile, so that no later event lets the watches go on from behind those that were lost.
    name: 'no pod event comes, until the history is compacted',
    run: async ({ platform }, random) => {
      const match = { resource: 'pods', userAgent: SIDESTEP };
      const id = await platform.faults.add({ match, effect: { kind: 'dropEvent' } });
      await pause(random.between(500, 2_000));
      await platform.faults.freeze();
      await platform.faults.remove(id);
      await platform.faults.compact();
      await platform.faults.cutWatches();
      await platform.faults.thaw();
    },
  },
  { name: 'watches are cut', run: async ({ platform }) => platform.faults.cutWatches() },
  {
    name: 'the history is compacted and watches are cut',
    run: async ({ platform }) => {
      await platform.faults.compact();
      await platform.faults.cutWatches();
    },
  },
  killAndReplace('worker'),
  killAndReplace('planner'),
  {
    name: 'a worker stands still',
    run: async (world, random) => {
      const victim = random.pick(servicesOf(world, 'worker'));
      victim.signal('SIGSTOP');
      await pause(random.between(300, 2_000));
      victim.signal('SIGCONT');
    },
  },
  { name: 'Redis loses everything', run: (world) => withRedis(world, (client) => client.flushall()) },
  {
    name: 'Redis is killed and comes back empty',
    run: async ({ platform }, random) => {
      await platform.redis?.kill('SIGKILL');
      await pause(random.between(200, 1_500));
      await platform.redis?.start();
    },
  },
];

/** Nothing is wrong any more, whatever was. */
export const endFaults = async (world: World): Promise<void> => {
  await world.platform.faults.clear();
  for (const service of [...servicesOf(world, 'planner'), ...servicesOf(world, 'worker')]) {
    if (service.isAlive) service.signal('SIGCONT');
    else await service.start();
  }
  if (world.platform.redis?.pid() === undefined) await world.platform.redis?.start();
};

/** How many keys the queue keeps. */
export const redisKeys = async (world: World): Promise<number> => {
  let keys = 0;
  await withRedis(world, async (client) => {
    keys = await client.dbsize();
  });
  return keys;
};
