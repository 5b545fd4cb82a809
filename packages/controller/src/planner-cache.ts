import type { ControllerRevision, Pod, ProjectedPod, SidecarSet } from '@sidestep/core';

/** What the planner sees of the cluster: kept up to date by watches, always a little behind. */
export interface PlannerCache {
  sidecarSetNames(): Iterable<string>;
  sidecarSet(name: string): SidecarSet | undefined;
  /** Pods that were injected with the SidecarSet, by what they say themselves. */
  podsOf(sidecarSet: string): Iterable<ProjectedPod>;
  /** Pods that pull images to nodes. */
  pullPods(): Iterable<Pod>;
  revisionsOf(sidecarSet: string): ControllerRevision[];
  /** Undefined while the Namespace is not known. */
  namespaceLabels(namespace: string): Readonly<Record<string, string>> | undefined;
}
