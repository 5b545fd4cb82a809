/** What the per-pod rules take and give. */
import type { JsonPatch, Pod } from '../api/kubernetes.js';
import type { Reason } from '../api/reasons.js';
import type { SidecarSet } from '../api/sidecarset.js';
import type { ManagedFieldsPolicy } from './managed-fields.js';

/**
 * Where one SidecarSet stands on one pod, read from the pod alone.
 *
 * `Idle`: nothing under way. `Upgrading`: a new container starts. `Migrated`: the new one owns the traffic, the old one can go.
 * `Resetting`: the old one is being replaced by the empty image. `Failed`: the new one cannot start, or took too long.
 * `Unmanaged`: the pod cannot be read as this SidecarSet's; nothing is touched.
 */
export type PodUpgradeState = 'Idle' | 'Upgrading' | 'Migrated' | 'Resetting' | 'Failed' | 'Unmanaged';

/** The four steps a worker can run on a pod. `migration` only waits. */
export type UpgradePhase = 'upgrade' | 'migration' | 'reset' | 'abort';

/** A whole pod, as read from the API server: the only kind that writes may be derived from. */
export type FullPod = Pod & { projected?: never };

/** The part of a pod that the planner keeps in memory. Some annotations are shortened, so no write may be derived from it. */
export interface ProjectedPod extends Pod {
  projected: true;
}

/** An Event to record on the pod. */
export interface PodEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

/** What a container was when its image was last changed; tells when the kubelet is done with that change. */
export interface ContainerBefore {
  /** The image that was written. */
  image: string;
  /** Shortened container id before the write; empty when there was none. */
  id: string;
  /** restartCount before the write. */
  restarts: number;
  /** The image that the container with this id runs, where known: going back to it restarts nothing. */
  ran?: string;
  /** End of the imageID before the write; with `version` it ties this entry to that write. */
  imageID?: string;
  /** The hot container's version as written. */
  version?: string;
  /** The waiting reason it already showed before the write, which says nothing about the new image. */
  waiting?: string;
}

/** When a container was last started with which image, in the kubelet's terms; see `back-off.ts`. */
export interface StartHistory {
  /** Unix seconds of the last known end of a process of this container. */
  ended?: number;
  /** Image reference to [back-off seconds, unix seconds of its last start]. */
  images: Record<string, [number, number]>;
}

/**
 * One SidecarSet's entry of the pod annotation `sidestep.dev/upgrade`. It explains the pod to a reader and sharpens some rules;
 * the state is never read from it alone, and it may be deleted at any time.
 */
export interface UpgradeRecord {
  phase: 'Upgrading' | 'Resetting' | 'Aborted' | 'Failed';
  /** Hash of the revision that is (or was) worked towards. */
  revision: string;
  /** ControllerRevision names, where known. */
  from?: string;
  to?: string;
  /** Hash that the pod carried before. */
  fromHash?: string;
  /** The without-image hash that the pod carried before, where it differs. */
  fromHashWithoutImage?: string;
  /** How many times this revision was begun on this pod, from 1. */
  attempt: number;
  /** RFC 3339 time of the last write. */
  since: string;
  /** RFC 3339 time at which this attempt was begun; `progressDeadlineSeconds` counts from here. */
  begun?: string;
  reason?: string;
  /** The retry token of the SidecarSet when this attempt was begun. */
  retry?: string;
  /** Highest version given to any hot container of this pod and set. */
  version?: string;
  /** Containers that were unready before this attempt began: they do not hold the reset back. */
  unready?: string[];
  /** Images of changed containers (by name in the pod) before this attempt. */
  images?: Record<string, string>;
  containers?: Record<string, ContainerBefore>;
  starts?: Record<string, StartHistory>;
}

/** What one look at a pod came to. */
export interface PodUpgradeDecision {
  state: PodUpgradeState;
  /** The phase whose write (or wait, for `migration`) is due now. `upgrade` is due only if the rollout picked the pod. */
  due: UpgradePhase | 'none';
  reason: Reason;
  message: string;
  /** Hash of the revision that `due` works towards. */
  revision: string;
  /** The attempt that `due` belongs to; part of the job's id. */
  attempt: number;
  /** The container that the reason is about, by its name in the pod. */
  container?: string;
  /** Present when a write is due and the input was a whole pod: RFC 6902, locked to the pod's resourceVersion (409 when stale). */
  patch?: JsonPatch;
  /** Strategic merge patch for the `status` subresource; present only when the condition changes. Write it after `patch`. */
  statusPatch?: { status: { conditions: object[] } };
  /** When this look may come out differently by time alone (deadline, back-off), in milliseconds from `now`. */
  retryAfterMs?: number;
  /** Record them once the patch is written. */
  events: PodEvent[];
}

/** One hot sidecar of a SidecarSet. */
export interface HotSidecar {
  name: string;
  /** Names of its two containers in a pod. */
  pair: readonly [string, string];
  image: string;
  emptyImage: string;
}

/** One plain sidecar, or a native one where `updateStrategy.nativeSidecars` is `InPlace`. */
export interface PlainSidecar {
  name: string;
  image: string;
  native: boolean;
}

/** What pods of a SidecarSet should become; built once per SidecarSet version by `upgradeTarget`. */
export interface UpgradeTarget {
  /** The SidecarSet rolled out: the stored one, or after a rollback the one restored from the last good revision. */
  sidecarSet: SidecarSet;
  name: string;
  hash: string;
  hashWithoutImage: string;
  /** Name of the ControllerRevision that holds it. */
  controllerRevision: string | undefined;
  hot: readonly HotSidecar[];
  plain: readonly PlainSidecar[];
  /** Every container of the set, by its name in a pod. */
  containerNames: readonly string[];
  /** Without-image hashes of older revisions that differ only in images, empty images included. */
  imageOnlyHashes: ReadonlySet<string>;
  /** `sidestep.dev/retry` and `sidestep.dev/abort` as they stand on the SidecarSet. */
  retryToken: string | undefined;
  abortRequested: boolean;
}

/** Everything `decidePodUpgrade` looks at. */
export interface PodUpgradeInput {
  target: UpgradeTarget;
  pod: FullPod;
  now: Date;
  /** Without it `keep`. */
  managedFields?: ManagedFieldsPolicy;
}
