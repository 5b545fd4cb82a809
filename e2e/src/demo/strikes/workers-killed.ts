import { readFileSync } from 'node:fs';
import { type Service, until } from '../../platform/service.js';
import { podWriteDone } from './pod-write-done.js';
import { runningJobs } from './queue-contents.js';
import { PATIENCE_MS, type Scene, type Strike } from './strike.js';

const RUN_AGAIN = 'the worker of a job died; it is run again';

const runsAgain = (workers: readonly Service[]): number =>
  workers.reduce((sum, { logFile }) => sum + readFileSync(logFile, 'utf8').split(RUN_AGAIN).length - 1, 0);

/** All of them, for which one holds the job cannot be told from outside; with a pod write done that nobody was told of. */
export const workersKilled = async ({ world, begin }: Scene): Promise<Strike> => {
  const { platform } = world;
  const rule = await podWriteDone(platform, begin);
  const workers = [...platform.services.values()].filter(({ spec }) => spec.name.startsWith('worker'));
  const running = await runningJobs(platform);
  await Promise.all(workers.map((worker) => worker.kill('SIGKILL')));
  await platform.faults.remove(rule);
  await Promise.all(workers.map((worker) => worker.start()));
  return {
    did: `${workers.length} workers killed with ${running} jobs running, one of which had just written a pod`,
    ...(running === 0 ? { missed: 'no job was running when the workers were killed' } : {}),
    aftermath: async () => {
      const again = await until(() => runsAgain(workers) || undefined, 'a job to be run again', PATIENCE_MS).catch(
        () => 0,
      );
      return again > 0
        ? { kept: [`${again} jobs of dead workers were run again`], broken: [] }
        : { kept: [], broken: ['no job of a dead worker was run again'] };
    },
  };
};
