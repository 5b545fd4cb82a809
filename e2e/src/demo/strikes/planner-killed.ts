import { type Service, until } from '../../platform/service.js';
import type { World } from '../../world/world.js';
import { PATIENCE_MS, type Scene, type Strike } from './strike.js';

interface PlannerView {
  leading?: boolean;
  leader?: string;
}

const viewOf = async ({ spec }: Service): Promise<PlannerView> => {
  try {
    return (await (await fetch(String(spec.readyUrl).replace('/readyz', '/planner'))).json()) as PlannerView;
  } catch {
    return {};
  }
};

/** Its program, and the name under which it holds the lease. */
const leaderOf = async (world: World): Promise<{ service: Service; holder: string } | undefined> => {
  for (const service of world.platform.services.values()) {
    if (!service.spec.name.startsWith('planner') || !service.isAlive) continue;
    const { leading, leader } = await viewOf(service);
    if (leading) return { service, holder: leader ?? '' };
  }
  return undefined;
};

/** With a second planner beside it that takes over; the only one is started again. */
export const plannerKilled = async ({ world, begin, halfWay }: Scene): Promise<Strike> => {
  const leader = await until(() => leaderOf(world), 'a planner to lead', PATIENCE_MS);
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
      const next = await until(() => leaderOf(world), 'another planner to lead', PATIENCE_MS).catch(() => undefined);
      if (!next || next.holder === leader.holder)
        return { kept: [], broken: [`nobody took the lease of ${leader.holder} over`] };
      return { kept: [`${next.service.spec.name} took the lease over and ended the rollout`], broken: [] };
    },
  };
};
