import type { Pod } from '../api/kubernetes.js';
import type { ProjectedPod } from '../pod-upgrade/types.js';
import { RolloutLedger } from './rollout-ledger.js';
import type { RolloutDecision, RolloutSubject } from './types.js';

/**
 * What is due for a SidecarSet and all its pods, from nothing but the objects. For one look at a cluster (a CLI, a test); a planner
 * keeps a `RolloutLedger` and feeds it events instead.
 */
export function decideRollout(subject: RolloutSubject, pods: Iterable<ProjectedPod | Pod>, now: Date): RolloutDecision {
  const ledger = new RolloutLedger();
  ledger.setSubject(subject, now);
  for (const pod of pods) ledger.applyPod(pod, now);
  return ledger.decide(now, { resync: true });
}
