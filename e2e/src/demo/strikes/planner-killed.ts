import { leadingPlanner } from '../../platform/leading-planner.js';
import { until } from '../../platform/service.js';
import { PATIENCE_MS, type Scene, type Strike } from './strike.js';

/** With a second planner beside it that takes over; the only one is started again. */
export const plannerKilled = async ({ world, begin, halfWay }: Scene): Promise<Strike> => {
  const leader = await until(() => leadingPlanner(world.platform), 'a planner to lead', PATIENCE_MS);
  await begin();
  await until(() => halfWay().length > 0 || undefined, 'the first pod to be begun', PATIENCE_MS);
  await leader.service.kill('SIGKILL');
  const pods = halfWay();
  const planners = [...world.platform.services.values()].filter(({ spec }) => spec.name.startsWith('planner'));
  if (planners.length === 1) await leader.service.start();
  return {
    did: `${leader.service.spec.name} killed while it led, with ${pods.length} pods half way`,
    ...(pods.length === 0 ? { missed: 'no pod was half way when the planner was killed' } : {}),
    aftermath: async () => {
      const next = await until(() => leadingPlanner(world.platform), 'another planner to lead', PATIENCE_MS).catch(
        () => undefined,
      );
      if (!next || next.holder === leader.holder)
        return { kept: [], broken: [`nobody took the lease of ${leader.holder} over`] };
      return { kept: [`${next.service.spec.name} took the lease over and ended the rollout`], broken: [] };
    },
  };
};
