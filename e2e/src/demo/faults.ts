import { Redis } from 'ioredis';
import type { Platform } from '../platform/platform.js';
import type { FaultName } from './options.js';

/** What the demo does in the middle of a rollout, and what must come of it. */
export interface Fault {
  /** The image that the rollout is begun with. */
  image: string;
  /** True: the set pauses itself after aborting the begun pods, and a good image then completes. */
  aborts: boolean;
  /** The new sidecar dies with requests in it; in any other run a death is a defect. */
  sidecarDies?: true;
  /** Happens once the first pod is being upgraded. */
  inject?: (platform: Platform) => Promise<void>;
  promise: string;
}

const killAndRestart =
  (name: string) =>
  async (platform: Platform): Promise<void> => {
    const service = platform.service(name);
    await service.kill('SIGKILL');
    await service.start();
  };

const flush = async (platform: Platform): Promise<void> => {
  const redis = new Redis(platform.redis!.url, { maxRetriesPerRequest: 1 });
  await redis.flushall();
  redis.disconnect();
};

const restartRedis = async (platform: Platform): Promise<void> => {
  await platform.redis!.kill('SIGKILL');
  await platform.redis!.start();
};

export const faultOf: Record<FaultName, Fault> = {
  'bad-image': {
    image: 'absent',
    aborts: true,
    promise: 'every begun pod is aborted, its old sidecar never stopped; no further pod is begun',
  },
  'new-crashes': {
    image: 'v2-crashes',
    aborts: true,
    sidecarDies: true,
    promise: 'the old sidecar takes its sockets back, every begun pod is aborted; no further pod is begun',
  },
  'new-hangs': {
    image: 'v2-hangs',
    aborts: true,
    sidecarDies: true,
    promise: 'the hook gives up, every begun pod is aborted; no further pod is begun',
  },
  'worker-killed': {
    image: 'v2',
    aborts: false,
    inject: killAndRestart('worker-1'),
    promise: 'another worker runs its jobs again',
  },
  'planner-killed': {
    image: 'v2',
    aborts: false,
    inject: killAndRestart('planner'),
    promise: 'the next planner goes on where it stopped',
  },
  'redis-flushed': { image: 'v2', aborts: false, inject: flush, promise: 'the planner fills the queue again' },
  'redis-restarted': {
    image: 'v2',
    aborts: false,
    inject: restartRedis,
    promise: 'the planner fills the queue again once Redis is back',
  },
};
