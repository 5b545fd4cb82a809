import type { Platform } from './platform.js';

/**
 * Starts what ended of the control plane, as its Deployments would: a planner that lost its lease ends itself, anything may be killed.
 * The API server only where it keeps its state; nothing once the platform is being ended. Resolves to the names of what it started.
 *
 * @param except the one service that is to stay as it is
 */
export const replaceEnded = async (platform: Platform, except?: string): Promise<string[]> => {
  const { services, options } = platform;
  const replaced = options.keepsApiState ? /^(kube-sim|webhook|planner|worker)/ : /^(webhook|planner|worker)/;
  const started: string[] = [];
  for (const service of services.values()) {
    if (platform.isEnding) break;
    if (!replaced.test(service.spec.name) || service.isAlive || service.spec.name === except) continue;
    await service.start();
    started.push(service.spec.name);
  }
  return started;
};

/** Redis too; not where somebody else, who ended it, will start it. */
export const replaceAllEnded = async (platform: Platform): Promise<string[]> => {
  const started = await replaceEnded(platform);
  const { redis } = platform;
  if (platform.isEnding || !redis?.owned || redis.pid() !== undefined) return started;
  await redis.start();
  return [...started, 'Redis'];
};
