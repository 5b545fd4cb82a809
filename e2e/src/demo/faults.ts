import type { FaultName } from './options.js';
import { apiServerKilled } from './strikes/api-server-killed.js';
import { plannerKilled } from './strikes/planner-killed.js';
import { redisFlushed, redisRestarted } from './strikes/redis-lost.js';
import type { Scene, Strike } from './strikes/strike.js';
import { workersKilled } from './strikes/workers-killed.js';

/** What the demo does in the middle of a rollout, and what must come of it. */
export interface Fault {
  /** The image that the rollout is begun with. */
  image: string;
  /** True: the set pauses itself after aborting the begun pods, and a good image then completes. */
  aborts: boolean;
  /** The new sidecar dies with requests in it; in any other run a death is a defect. */
  sidecarDies?: true;
  /** Begins the rollout and strikes in the middle of it. */
  strike?: (scene: Scene) => Promise<Strike>;
  promise: string;
}

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
    strike: workersKilled,
    promise: 'the workers that follow run their jobs again, and no pod is written twice',
  },
  'planner-killed': {
    image: 'v2',
    aborts: false,
    strike: plannerKilled,
    promise: 'another planner takes its lease over and goes on where it stopped',
  },
  'api-server-killed': {
    image: 'v2',
    aborts: false,
    strike: apiServerKilled,
    promise: 'what it had answered is there when it is back, and everybody goes on from there',
  },
  'redis-flushed': {
    image: 'v2',
    aborts: false,
    strike: redisFlushed,
    promise: 'the loss is noticed, and the planner fills the queue again',
  },
  'redis-restarted': {
    image: 'v2',
    aborts: false,
    strike: redisRestarted,
    promise: 'meanwhile the planner says that there is no queue; once Redis is back it fills it again',
  },
};
