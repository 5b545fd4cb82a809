/**
 * SidecarSet as `apps.kruise.io/v1beta1` serves it, which is the version every rule works on; v1alpha1 differs by
 * `spec.namespace` and by the place of the custom version. Sources: OpenKruise 1.9 API; Sidestep's own fields are marked.
 */
import type { Container, IntOrString, LabelSelector, ObjectMeta, OpenObject, Volume } from './kubernetes.js';

/**
 * Whether a sidecar stands before or after the app’s containers in the pod’s list. Default: before; for init containers after.
 */
export type PodInjectPolicy = 'BeforeAppContainer' | 'AfterAppContainer';

/**
 * How a sidecar gets a new image in a running pod: cold (its container is restarted) or hot (a pair of containers takes
 * turns). The type cannot be changed for a container of the same name.
 */
export interface SidecarContainerUpgradeStrategy extends OpenObject {
  /** `ColdUpgrade` (default) or `HotUpgrade`; any other text is stored and behaves as cold, as in OpenKruise. */
  upgradeType?: string;
  /** The image of the idle half of a hot pair. */
  hotUpgradeEmptyImage?: string;
}

/**
 * Variables copied from an app container into the sidecar at injection. The container is named, or taken from a label or
 * annotation of the pod by `sourceContainerNameFrom`; `envName` and `envNames` are added up.
 */
export interface TransferEnvVar extends OpenObject {
  sourceContainerName?: string;
  sourceContainerNameFrom?: { fieldRef?: { apiVersion?: string; fieldPath?: string } };
  envName?: string;
  envNames?: string[];
}

/**
 * Arithmetic over the resources of the app’s containers, for example `max(cpu*50%, 50m)`; `cpu` and `memory` are the
 * variables, and the result is a quantity. Grammar: `parseResourceExpression`.
 */
export interface ResourceExpressions extends OpenObject {
  cpu?: string;
  memory?: string;
}

/**
 * Resources of a sidecar computed from those of the app’s containers at injection. `targetContainersMode` is `sum` or `max`
 * over the containers whose name the regular expression (Go’s syntax, default `.*`) matches. OpenKruise 1.9.
 */
export interface ResourcesPolicy extends OpenObject {
  targetContainersMode?: string;
  targetContainersNameRegex?: string;
  resourcesExpr?: { limits?: ResourceExpressions; requests?: ResourceExpressions };
}

/**
 * A container of a SidecarSet: a pod’s container, and how it is injected, shares volumes and is upgraded.
 * `shareVolumePolicy.type` and `shareVolumeDevicePolicy.type` are `enabled` or `disabled` (default). The fields beyond
 * {@link Container} never reach a pod.
 */
export interface SidecarContainer extends Container {
  podInjectPolicy?: string;
  upgradeStrategy?: SidecarContainerUpgradeStrategy;
  shareVolumePolicy?: { type?: string };
  shareVolumeDevicePolicy?: { type?: string };
  transferEnv?: TransferEnvVar[];
  resourcesPolicy?: ResourcesPolicy;
}

/**
 * Annotations that a SidecarSet puts into its pods, within what the {@link Whitelist} allows. `Retain` leaves an annotation
 * that the pod has, `Overwrite` replaces it, `MergePatchJson` merges two JSON objects (RFC 7386).
 */
export interface PatchPodMetadata extends OpenObject {
  annotations?: Record<string, string>;
  /** `Retain` (default), `Overwrite` or `MergePatchJson`. */
  patchPolicy?: string;
}

/**
 * What new pods get. `paused` stops injection. `revision` names a ControllerRevision to inject instead of the spec, by its
 * name or its custom version; its `policy` is `Always` (default), or `Partial`: only a share of the pods, `partition` percent
 * of those that the update strategy selects, gets it. OpenKruise 1.9.
 */
export interface InjectionStrategy extends OpenObject {
  paused?: boolean;
  revision?: { revisionName?: string; customVersion?: string; policy?: string };
  /** Sidestep: what to do when a sidecar has the name of an app container. Absent: `Overwrite`, as OpenKruise. */
  onNameConflict?: 'Overwrite' | 'Reject';
}

/** Sidestep: one canary step; `pods` is how many may be updated once it is reached. */
export interface CanaryStep extends OpenObject {
  pods: IntOrString;
  /** `{}` waits until promoted, `{seconds}` waits that long after the step's pods are good. */
  pause?: { seconds?: number };
}

/** Sidestep: what happens to pods that failed to upgrade. */
export interface FailurePolicy extends OpenObject {
  maxFailures?: IntOrString;
  podAction?: 'Abort' | 'Keep';
  action?: 'Pause' | 'Rollback';
}

/**
 * How a new revision reaches running pods. `type` is `RollingUpdate` (default) or `NotUpdate`. `partition` is how many pods
 * stay on the old revision, `maxUnavailable` how many may be unavailable at once (default 1); percentages are of the matched
 * pods. `selector` and a non-zero `partition` exclude each other, and so do the two kinds of priority. Checked by
 * `validateSidecarSet`.
 */
export interface UpdateStrategy extends OpenObject {
  type?: string;
  paused?: boolean;
  selector?: LabelSelector;
  partition?: IntOrString;
  maxUnavailable?: IntOrString;
  priorityStrategy?: {
    orderPriority?: { orderedKey: string }[];
    weightPriority?: { weight: number; matchSelector: LabelSelector }[];
  };
  scatterStrategy?: { key: string; value: string }[];
  /** Sidestep. Absent: a begun pod never fails by time. */
  progressDeadlineSeconds?: number;
  /** Sidestep. Absent: a failed pod keeps its slot, as in OpenKruise. */
  failurePolicy?: FailurePolicy;
  /** Sidestep: canary steps. */
  steps?: CanaryStep[];
  /** Sidestep: an upgraded pod counts as good only after this long. */
  minReadySeconds?: number;
  /** Sidestep: bring the image to the nodes before any pod is begun. */
  prePull?: boolean;
  /** Sidestep: allows RollingUpdate for native sidecars. */
  nativeSidecars?: 'InPlace';
}

/**
 * What is wanted: the containers, which pods get them, and how changes roll out. No `namespaceSelector` means every namespace;
 * `revisionHistoryLimit` is 10 by default and at least 1 in effect. Filled in by `defaultSidecarSet`, checked by
 * `validateSidecarSet`.
 */
export interface SidecarSetSpec extends OpenObject {
  selector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  containers?: SidecarContainer[];
  initContainers?: SidecarContainer[];
  volumes?: Volume[];
  imagePullSecrets?: { name?: string }[];
  revisionHistoryLimit?: number;
  patchPodMetadata?: PatchPodMetadata[];
  customVersion?: string;
  injectionStrategy?: InjectionStrategy;
  updateStrategy?: UpdateStrategy;
}

/** A status condition in the Kubernetes API conventions' form. */
export interface Condition extends OpenObject {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  observedGeneration?: number;
  lastTransitionTime?: string;
  reason: string;
  message: string;
}

/**
 * What the planner found. Counts are of pods that carry the SidecarSet; `updatedReadyPods` are those that
 * are both. `latestRevision` is the newest ControllerRevision’s name. Decided by {@link RolloutLedger}.
 */
export interface SidecarSetStatus extends OpenObject {
  observedGeneration?: number;
  matchedPods: number;
  updatedPods: number;
  readyPods: number;
  updatedReadyPods?: number;
  latestRevision?: string;
  collisionCount?: number;
  /** Sidestep. */
  upgradingPods?: number;
  /** Sidestep. */
  failedPods?: number;
  /** Sidestep: the last revision that every matched pod ran well. */
  currentRevision?: string;
  /** Sidestep: the revision that a failure policy took back; cleared when the spec changes or a retry is asked for. */
  failedRevision?: string;
  /** Sidestep: index of the canary step being worked on. */
  currentStep?: number;
  /** Sidestep: `pods` of each canary step, as `currentStep` counts them. */
  observedSteps?: IntOrString[];
  /** Sidestep: RFC 3339 time since which these steps are gone through for this revision; a promotion names it. */
  stepsSince?: string;
  /** Sidestep: RFC 3339 time since which every pod of the current canary step is good; its timed pause counts from here. */
  stepGoodSince?: string;
  /** Sidestep: the value of `sidestep.dev/retry` that was acted on last. */
  observedRetry?: string;
  /** Sidestep. */
  conditions?: Condition[];
}

/**
 * A cluster-wide set of sidecars that is injected into the pods it selects. Objects of unknown making become one by
 * `readSidecarSet`; v1alpha1 by {@link convertSidecarSet}.
 */
export interface SidecarSet extends OpenObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  spec: SidecarSetSpec;
  status?: SidecarSetStatus;
}
