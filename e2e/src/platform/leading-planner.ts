import { ask } from './ask.js';
import type { Platform } from './platform.js';
import { replaceEnded } from './replace-ended.js';
import type { Service } from './service.js';

/** What a planner tells of itself. */
interface PlannerView {
  leading?: boolean;
  leader?: string;
}

/** One that is stopped answers nobody, and must not hold the search for its successor up. */
const SILENT_MS = 1_000;

const viewOf = async ({ spec }: Service): Promise<PlannerView> => {
  const { status, body } = await ask(String(spec.readyUrl).replace('/readyz', '/planner'), SILENT_MS);
  return status === 200 ? (JSON.parse(body) as PlannerView) : {};
};

/** The planner that leads right now, with the name under which it holds the lease. */
export const leadingPlanner = async ({
  services,
}: Platform): Promise<{ service: Service; holder: string } | undefined> => {
  for (const service of services.values()) {
    if (!service.spec.name.startsWith('planner') || !service.isAlive) continue;
    const { leading, leader = '' } = await viewOf(service);
    if (leading) return { service, holder: leader };
  }
  return undefined;
};

/**
 * The one that leads, if any does. Others that ended are started again: a slow machine makes a planner lose its lease, and end.
 *
 * @param dead is not started, because somebody killed it on purpose
 */
export const leaderOf = async (platform: Platform, dead?: string): Promise<Service | undefined> => {
  await replaceEnded(platform, dead);
  return (await leadingPlanner(platform))?.service;
};
