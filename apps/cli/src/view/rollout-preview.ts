import { type BlockedPods, decideRollout, RolloutLedger, type UpdateStrategy } from '@sidestep/core';
import type { RolloutSnapshot } from './snapshot.js';

/** Which pods a changed SidecarSet reaches, in which order. */
export interface RolloutPreview {
  /** Pods that carry the SidecarSet. */
  matched: number;
  /** Pods begun at once, `namespace/name`, in order. */
  first: string[];
  /** The pods after those, in the order in which they would come if nothing else changed. */
  later: string[];
  /** Pods that no image change can bring to the new revision. */
  notUpgradable: number;
  /** Why no more are begun at once. */
  reason: string;
  message: string;
  /** Pods that are neither done nor begun at once, by what holds them. */
  blocked: BlockedPods[];
}

/** Without any limit every pod that can be upgraded is picked, in the rollout's order. */
const UNLIMITED: Partial<UpdateStrategy> = {
  maxUnavailable: '100%',
  partition: 0,
  paused: false,
  steps: [],
  prePull: false,
};

/** The same decision that the planner will take, from the objects as they are now. */
export function previewRollout(snapshot: RolloutSnapshot, latestRevision: string, now: Date): RolloutPreview {
  const { sidecarSet, pods } = snapshot;
  const subjectWith = (strategy: Partial<UpdateStrategy>) => ({
    ...snapshot,
    latestRevision,
    sidecarSet: {
      ...sidecarSet,
      spec: { ...sidecarSet.spec, updateStrategy: { ...sidecarSet.spec.updateStrategy, ...strategy } },
    },
  });
  // Whether nodes have the image is not known here, and pulling only takes time.
  const ledger = new RolloutLedger();
  ledger.setSubject(subjectWith({ prePull: false }), now);
  for (const pod of pods) ledger.applyPod(pod, now);
  const decision = ledger.decide(now, { resync: true });
  const whole = decideRollout(subjectWith(UNLIMITED), pods, now);
  const first = begun(decision);
  const later = begun(whole).filter((pod) => !first.includes(pod));
  const progressing = decision.status.conditions?.find(({ type }) => type === 'Progressing');
  return {
    matched: decision.status.matchedPods,
    first,
    later,
    notUpgradable: decision.blocked.find(({ reason }) => reason === 'UpdateImmutableField')?.count ?? 0,
    reason: progressing?.reason ?? '',
    message: progressing?.message ?? '',
    blocked: without(
      decision.blocked,
      first.map((pod) => ledger.summaryOf(pod)?.reason),
    ),
  };
}

/** The groups with one pod less for each of these reasons. */
function without(blocked: readonly BlockedPods[], begunAtOnce: readonly (string | undefined)[]): BlockedPods[] {
  return blocked
    .map((group) => ({ ...group, count: group.count - begunAtOnce.filter((reason) => reason === group.reason).length }))
    .filter(({ count }) => count > 0);
}

const begun = ({ jobs }: ReturnType<typeof decideRollout>): string[] =>
  jobs.filter(({ phase }) => phase === 'upgrade').map(({ namespace, pod }) => `${namespace}/${pod}`);
