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

export interface OwnerReference extends OpenObject {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

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

export type IntOrString = number | string;

export interface EnvVar extends OpenObject {
  name: string;
  value?: string;
  valueFrom?: OpenObject & { fieldRef?: { apiVersion?: string; fieldPath: string } };
}

export interface VolumeMount extends OpenObject {
  name: string;
  mountPath: string;
  subPath?: string;
  subPathExpr?: string;
  readOnly?: boolean;
}

export interface VolumeDevice extends OpenObject {
  name: string;
  devicePath: string;
}

export interface ResourceRequirements extends OpenObject {
  limits?: Record<string, IntOrString>;
  requests?: Record<string, IntOrString>;
}

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

export interface Volume extends OpenObject {
  name: string;
}

export interface ContainerState extends OpenObject {
  waiting?: { reason?: string; message?: string };
  running?: { startedAt?: string };
  terminated?: { exitCode: number; reason?: string; message?: string; startedAt?: string; finishedAt?: string };
}

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

export interface PodCondition extends OpenObject {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export interface PodSpec extends OpenObject {
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
  imagePullSecrets?: { name?: string }[];
  nodeName?: string;
  restartPolicy?: string;
}

export interface PodStatus extends OpenObject {
  phase?: string;
  reason?: string;
  conditions?: PodCondition[];
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
  startTime?: string;
}

export interface Pod extends OpenObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  spec: PodSpec;
  status?: PodStatus;
}

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

export type JsonPatch = JsonPatchOperation[];
