// Any one process of the control plane is killed without warning, and started again.
import { leaderOf } from '../../platform/leading-planner.js';
import { replaceAllEnded } from '../../platform/replace-ended.js';
import type { Service } from '../../platform/service.js';
import { type Act, act } from '../row.js';
import type { Stage } from '../stage.js';

/** `planner` is the one that leads. */
export const PROCESSES = ['webhook', 'planner', 'worker-1', 'worker-2', 'Redis', 'kube-sim'] as const;
export type ProcessName = (typeof PROCESSES)[number];

const serviceOf = async (stage: Stage, name: ProcessName): Promise<Service> =>
  name === 'planner'
    ? stage.until(() => leaderOf(stage.world.platform), 'a planner to lead', 120_000)
    : stage.world.platform.service(name);

const kill = async (stage: Stage, name: ProcessName): Promise<void> => {
  const { platform } = stage.world;
  stage.atEnd(async () => {
    await replaceAllEnded(platform);
  });
  if (name === 'Redis') return platform.redis!.kill('SIGKILL');
  const service = await serviceOf(stage, name);
  stage.held.set('killed', service.spec.name);
  await service.kill('SIGKILL');
};

/** Whoever asks it for something next is answered. */
const start = async (stage: Stage, name: ProcessName): Promise<void> => {
  const { platform } = stage.world;
  if (name === 'Redis') return platform.redis!.start();
  const service = platform.service(stage.held.get('killed')!);
  await service.start();
  await service.ready();
};

export const anyProcess = {
  killed: (name: ProcessName): Act => act(`${name} is killed with SIGKILL`, (stage) => kill(stage, name)),
  starts: (name: ProcessName): Act => act('it is started again', (stage) => start(stage, name)),
};
