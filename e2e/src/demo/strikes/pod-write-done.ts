import type { Platform } from '../../platform/platform.js';
import { until } from '../../platform/service.js';
import { NAMESPACE } from '../../world/scenario.js';
import { PATIENCE_MS } from './strike.js';

/** Begins the rollout, and resolves once a worker has written its second pod and was not told; returns the rule's id. */
export const podWriteDone = async ({ faults }: Platform, begin: () => Promise<void>): Promise<string> => {
  const match = { verbs: ['patch'], resource: 'pods/', namespace: NAMESPACE, userAgent: 'sidestep-upgrade-worker' };
  const rule = await faults.add({ match, skip: 1, count: 1, effect: { kind: 'hangAfter' } });
  await begin();
  await until(async () => (await faults.hits(rule)) > 0 || undefined, 'a second pod write', PATIENCE_MS);
  return rule;
};
