/**
 * The parts of Kubernetes objects that the rules read. Objects come from an API server that may be newer than this file:
 * every type is open, and whatever is not named here is carried along untouched.
 */

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** An object whose unnamed fields pass through. */
export interface OpenObject {
  [field: string]: unknown;
}

/**
 * Who an object belongs to; garbage collection deletes it with its owner. At most one owner has `controller` set.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
 */
export interface OwnerReference extends OpenObject {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/**
 * What every Kubernetes object carries. Times are RFC 3339 with whole seconds; `resourceVersion` changes with each write.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
 */
export interface ObjectMeta extends OpenObject {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

/**
 * One expression of a {@link LabelSelector}. `operator` is `In`, `NotIn`, `Exists` or `DoesNotExist`; `values` go with the
 * first two.
 */
export interface LabelSelectorRequirement extends OpenObject {
  key: string;
  operator: string;
  values?: string[];
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/ */
export interface LabelSelector extends OpenObject {
  matchLabels?: Record<string, string>;
  matchExpressions?: LabelSelectorRequirement[];
}

/** A count, or a percentage such as `"30%"`. What a percentage is of, and how it is rounded, is up to the field. */
export type IntOrString = number | string;

/** A variable of a container: `value`, or a source for it, or neither, which is the empty text. */
export interface EnvVar extends OpenObject {
  name: string;
  value?: string;
  valueFrom?: OpenObject & { fieldRef?: { apiVersion?: string; fieldPath: string } };
}

/** Where a container sees a volume of its pod. `mountPath` is unique in a container, which is what merging mounts goes by. */
export interface VolumeMount extends OpenObject {
  name: string;
  mountPath: string;
  subPath?: string;
  subPathExpr?: string;
  readOnly?: boolean;
}

/** Where a container sees a volume of its pod as a raw block device; `devicePath` is unique in a container. */
export interface VolumeDevice extends OpenObject {
  name: string;
  devicePath: string;
}

/**
 * Quantities by resource name (`cpu`, `memory`, ...), as Kubernetes writes them: `500m`, `1Gi`, or a plain number. Read them
 * with `parseQuantity`.
 */
export interface ResourceRequirements extends OpenObject {
  limits?: Record<string, IntOrString>;
  requests?: Record<string, IntOrString>;
}

/**
 * A container or init container of a pod. Only `image` may change while the pod runs. `restartPolicy: Always` on an init
 * container makes it a native sidecar.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Container
 */
export interface Container extends OpenObject {
  name: string;
  image?: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  resources?: ResourceRequirements;
  restartPolicy?: string;
  volumeMounts?: VolumeMount[];
  volumeDevices?: VolumeDevice[];
}

/** A volume of a pod: a name that is unique in it, and one source, which no rule reads. */
export interface Volume extends OpenObject {
  name: string;
}

/** What the kubelet says a container is doing: one of the three, or none, which counts as waiting. Times are RFC 3339. */
export interface ContainerState extends OpenObject {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: { exitCode: number; reason?: string; message?: string; startedAt?: string; finishedAt?: string };
}

/**
 * The kubelet’s report of one container. It may be older than the spec: `image` and `imageID` are what was started last, not
 * what is wanted. `lastState` is how the previous run ended.
 */
export interface ContainerStatus extends OpenObject {
  name: string;
  image?: string;
  imageID?: string;
  containerID?: string;
  ready?: boolean;
  started?: boolean;
  restartCount?: number;
  state?: ContainerState;
  lastState?: ContainerState;
}

/** One condition of a pod, unique by `type`. `status` is `True`, `False` or `Unknown`; `lastTransitionTime` is RFC 3339. */
export interface PodCondition extends OpenObject {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** The parts of a pod’s spec that injection adds to and upgrades change. `nodeName` is absent until the pod is scheduled. */
export interface PodSpec extends OpenObject {
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
  imagePullSecrets?: { name?: string }[];
  nodeName?: string;
  restartPolicy?: string;
}

/**
 * The kubelet’s report of a pod. `phase` is `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`; no part is there before
 * the kubelet has seen the pod.
 */
export interface PodStatus extends OpenObject {
  phase?: string;
  reason?: string;
  conditions?: PodCondition[];
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
  startTime?: string;
}

/**
 * A pod as the API server gives it. For many of them keep a {@link PodProjection} instead, which has the fields that rules
 * read.
 */
export interface Pod extends OpenObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  spec: PodSpec;
  status?: PodStatus;
}

/**
 * One recorded spec of a SidecarSet. `data` is read by `restoreRevision`; `revision` grows with each edit, and an old spec
 * that comes back gets a new number.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/controller-revision-v1/
 */
export interface ControllerRevision extends OpenObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  data?: unknown;
  revision: number;
}

/** One JSON Patch operation, RFC 6902. */
export type JsonPatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value: unknown }
  | { op: 'remove'; path: string };

/** A JSON Patch, RFC 6902: operations that are applied in order, all or none. Paths are JSON Pointers, RFC 6901. */
export type JsonPatch = JsonPatchOperation[];
