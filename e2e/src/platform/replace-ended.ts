import type { Platform } from './platform.js';

/**
 * Starts planners and workers that ended, as their Deployments would: one that lost its lease ends itself. Resolves to the names
 * of those it started.
 */
export const replaceEnded = async ({ services }: Platform): Promise<string[]> => {
  const started: string[] = [];
  for (const service of services.values()) {
    const isReplaced = /^(planner|worker)/.test(service.spec.name);
    if (!isReplaced || service.isAlive) continue;
    await service.start();
    started.push(service.spec.name);
  }
  return started;
};
