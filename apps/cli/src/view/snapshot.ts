import type { ControllerRevision, Pod, ProjectedPod, RolloutSubject, SidecarSet } from '@sidestep/core';

/** Everything about one SidecarSet's rollout, as it stood at one moment. */
export interface RolloutSnapshot {
  sidecarSet: SidecarSet;
  revisions: readonly ControllerRevision[];
  /** Pods that carry the SidecarSet. */
  pods: readonly (ProjectedPod | Pod)[];
  /** Needed only for `spec.namespaceSelector`. */
  namespaceLabels?: NonNullable<RolloutSubject['namespaceLabels']>;
}
