/**
 * SidecarSet as `apps.kruise.io/v1beta1` serves it, which is the version every rule works on; v1alpha1 differs by
 * `spec.namespace` and by the place of the custom version. Sources: OpenKruise 1.9 API; Sidestep's own fields are marked.
 */
import type { Container, IntOrString, LabelSelector, ObjectMeta, OpenObject, Volume } from './kubernetes.js';

export type PodInjectPolicy = 'BeforeAppContainer' | 'AfterAppContainer';

export interface SidecarContainerUpgradeStrategy extends OpenObject {
  /** `ColdUpgrade` (default) or `HotUpgrade`; any other text is stored and behaves as cold, as in OpenKruise. */
  upgradeType?: string;
  /** The image of the idle half of a hot pair. */
  hotUpgradeEmptyImage?: string;
}

export interface TransferEnvVar extends OpenObject {
  sourceContainerName?: string;
  sourceContainerNameFrom?: { fieldRef?: { apiVersion?: string; fieldPath?: string } };
  envName?: string;
  envNames?: string[];
}

export interface ResourceExpressions extends OpenObject {
  cpu?: string;
  memory?: string;
}

export interface ResourcesPolicy extends OpenObject {
  targetContainersMode?: string;
  targetContainersNameRegex?: string;
  resourcesExpr?: { limits?: ResourceExpressions; requests?: ResourceExpressions };
}

export interface SidecarContainer extends Container {
  podInjectPolicy?: string;
  upgradeStrategy?: SidecarContainerUpgradeStrategy;
  shareVolumePolicy?: { type?: string };
  shareVolumeDevicePolicy?: { type?: string };
  transferEnv?: TransferEnvVar[];
  resourcesPolicy?: ResourcesPolicy;
}

export interface PatchPodMetadata extends OpenObject {
  annotations?: Record<string, string>;
  /** `Retain` (default), `Overwrite` or `MergePatchJson`. */
  patchPolicy?: string;
}

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
  /** Sidestep: the last revision that every selected pod ran well. */
  currentRevision?: string;
  /** Sidestep: the revision that a failure policy took back; cleared when the spec changes or a retry is asked for. */
  failedRevision?: string;
  /** Sidestep: index of the canary step being worked on. */
  currentStep?: number;
  /** Sidestep: RFC 3339 time since which every pod of the current canary step is good; its timed pause counts from here. */
  stepGoodSince?: string;
  /** Sidestep: the value of `sidestep.dev/retry` that was acted on last. */
  observedRetry?: string;
  /** Sidestep. */
  conditions?: Condition[];
}

export interface SidecarSet extends OpenObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  spec: SidecarSetSpec;
  status?: SidecarSetStatus;
}
