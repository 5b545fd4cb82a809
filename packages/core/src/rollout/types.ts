/** What the rollout of one SidecarSet takes and gives. */
import type { ControllerRevision } from '../api/kubernetes.js';
import type { Reason } from '../api/reasons.js';
import type { SidecarSet, SidecarSetStatus } from '../api/sidecarset.js';
import type { PodEvent, PodUpgradeState, UpgradePhase } from '../pod-upgrade/types.js';

/** One phase of one pod that should be in the queue. Keys only. */
export interface RolloutJob {
  namespace: string;
  pod: string;
  uid: string;
  /** Hash of the revision that the job works towards. */
  revision: string;
  phase: UpgradePhase;
  attempt: number;
  /**
   * Only of `upgrade`: the pod was picked as one that is not ready, which takes nothing of maxUnavailable, so it must not be begun
   * once it is ready.
   */
  pickedUnready?: true;
  /** Smaller runs first: a pod that can be reset or aborted goes before one that is begun. */
  priority: number;
  /** Not before this many milliseconds from now. */
  delayMs?: number;
}

/** An Event to record on the SidecarSet. */
export interface RolloutEvent {
  type: 'Normal' | 'Warning';
  reason: Reason;
  message: string;
}

/** Pods that are not done, by what holds them. */
export interface BlockedPods {
  reason: Reason;
  message: string;
  count: number;
}

/** A pod whose `SidecarSetUpgradable` condition has to be written although no upgrade is due. */
export interface PodConditionWrite {
  namespace: string;
  pod: string;
  uid: string;
  statusPatch: { status: { conditions: object[] } };
}

/** An Event to record on a pod that failed and that no phase is due on, so that no worker looks at it. */
export interface PodEventWrite {
  namespace: string;
  pod: string;
  uid: string;
  event: PodEvent & { container?: string };
}

/** An image that a node should have before its pods are begun. */
export interface PrePullRequest {
  node: string;
  image: string;
}

/** What is known of an image on a node. */
export type NodeImageState = 'present' | 'pulling' | 'failed' | 'unknown';

/** One pod of a SidecarSet in the form that counting and picking need. Recomputed when the pod or the SidecarSet changes. */
export interface PodSummary {
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;

  /** Counted by the SidecarSet at all: active, injected with it, every container present. */
  readonly matched: boolean;
  /**
   * Not matched, and yet not done with: half way through an upgrade although the selectors choose it no more, or chosen and lacking
   * what it takes to be managed.
   */
  readonly apart: boolean;
  /** Carries the hash of the spec (what `status.updatedPods` counts). */
  readonly updated: boolean;
  /** Carries the hash of the revision that is rolled out, which differs from the spec's only after a rollback. */
  readonly onTarget: boolean;
  /** Consistent and ready in OpenKruise's sense (what `status.readyPods` counts). */
  readonly ready: boolean;
  /** The pod itself is Running and Ready with no hot upgrade open; does not look at consistency. */
  readonly podReady: boolean;

  readonly state: PodUpgradeState;
  readonly due: UpgradePhase | 'none';
  readonly attempt: number;
  readonly reason: Reason;
  readonly message: string;
  readonly container: string | undefined;

  /** Two containers of a hot pair are live, or an image change of this set is not finished. */
  readonly inFlight: boolean;
  /** May be picked: not on target, chosen by `updateStrategy.selector`, upgradable, nothing to wait for. */
  readonly candidate: boolean;
  /** Only a change that Kubernetes does not allow in place stands between this pod and the target. */
  readonly notUpgradable: boolean;
  /** Failed on the target revision, still there or aborted. */
  readonly failed: boolean;
  /** Failed on a revision that is not wanted any more, and still half way: the failure policy of the wanted one does not count it. */
  readonly failedEarlier: boolean;
  /** On target, ready, nothing under way, and past `minReadySeconds`. */
  readonly good: boolean;
  /** From when (Unix ms) the pod is good by `minReadySeconds`; Infinity while it is not ready on target. */
  readonly goodAt: number;
  /** When (Unix ms) time alone may change this summary; Infinity for never. */
  readonly reviewAt: number;
  /** Sort key of OpenKruise's default order, most urgent first; compared element by element. */
  readonly order: readonly number[];
  /** ControllerRevision that the pod's annotation names; revisions in use must not be truncated. */
  readonly controllerRevision: string | undefined;
  /** Patch of the pod's `SidecarSetUpgradable` condition that is due because it is not upgradable. */
  readonly conditionPatch: PodConditionWrite['statusPatch'] | undefined;
}

/** What one look at a SidecarSet came to. */
export interface RolloutDecision {
  /** Whole status as it should be stored; compare with the stored one and write only a difference. */
  status: SidecarSetStatus;
  /** Hash of the revision being rolled out: the spec's, or after a rollback the last good one's. */
  revision: string;
  /** New or changed since the last look (all of them on a resync), resets and aborts first. */
  jobs: RolloutJob[];
  conditionWrites: PodConditionWrite[];
  prePull: PrePullRequest[];
  /** Images that pods may pull for this SidecarSet; a pod that pulls another one for it is of no use any more. */
  prePullImages: string[];
  events: RolloutEvent[];
  podEvents: PodEventWrite[];
  /** When time alone will change the outcome; 0: more jobs are due than are named here; absent: only an event can. */
  requeueAfterMs?: number;
  blocked: BlockedPods[];
}

/** Everything about a SidecarSet itself that its rollout depends on. */
export interface RolloutSubject {
  /** As stored, with its last status. */
  sidecarSet: SidecarSet;
  /** Its ControllerRevisions: needed to roll back, and to tell a changed empty image from an immutable change. */
  revisions: readonly ControllerRevision[];
  /** The name of the ControllerRevision of the spec as it stands. */
  latestRevision: string;
  collisionCount?: number;
  /** Labels of a namespace, needed only for `spec.namespaceSelector`; a new function means that some changed. */
  namespaceLabels?: (namespace: string) => Readonly<Record<string, string>> | undefined;
}
