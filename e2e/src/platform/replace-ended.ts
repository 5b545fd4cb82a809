import type { Platform } from './platform.js';

/** Starts planners and workers that ended, as their Deployments would: one that lost its lease ends itself. */
export const replaceEnded = async ({ services }: Platform): Promise<void> => {
  for (const service of services.values()) {
    const isReplaced = /^(planner|worker)/.test(service.spec.name);
    if (isReplaced && !service.isAlive) await service.start();
  }
};
