import { type BlockedPods, decideRollout, type UpdateStrategy } from '@sidestep/core';
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
  const decision = decideRollout(subjectWith({ prePull: false }), pods, now);
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
    blocked: decision.blocked,
  };
}

const begun = ({ jobs }: ReturnType<typeof decideRollout>): string[] =>
  jobs.filter(({ phase }) => phase === 'upgrade').map(({ namespace, pod }) => `${namespace}/${pod}`);
