/**
 * The world as this room sees it. Whoever plugs it in translates: an expected answer (somebody was faster, the object is gone)
 * comes back as a value, everything else rejects with an error that has a `retry` rule.
 */
import type {
  ControllerRevision,
  FullPod,
  JsonPatch,
  Pod,
  PodEvent,
  RolloutEvent,
  SidecarSet,
  SidecarSetStatus,
  UpgradePhase,
} from '@sidestep/core';

export interface PodRef {
  namespace: string;
  name: string;
}

/**
 * What became of a write. `conflict`: somebody else wrote first, or it could not be sent in time, so read and decide again.
 * `gone`: there is nothing to write to.
 */
export type WriteResult<T> = { kind: 'written'; object: T } | { kind: 'conflict' } | { kind: 'gone' };

/** `refused`: no look at the pod will change that, only somebody who changes a right, a policy or the SidecarSet; the message is the API server's. */
export type PodWriteResult = WriteResult<Pick<FullPod, 'metadata'>> | { kind: 'refused'; message: string };

/**
 * How new a read must be. `newest` is what is stored now; `recent` may be some versions older and costs the API server less, so it
 * is good for deciding on a write that is locked to what was read, and for nothing else.
 */
export type Freshness = 'recent' | 'newest';

/** `refused`: not allowed, no quota, or invalid; the message is the API server's. */
export type CreateResult = { kind: 'created' } | { kind: 'refused'; message: string };

/** Reads and writes of Kubernetes objects, each one call to the API server. */
export interface ClusterPort {
  readPod(ref: PodRef, freshness: Freshness): Promise<FullPod | undefined>;
  /**
   * RFC 6902, decided on `pod`, of which the patch itself carries the resourceVersion. It is not sent after `sendBy`. Resolves to the
   * metadata only: the rest of the pod is what was read, with the patch.
   */
  patchPod(pod: FullPod, patch: JsonPatch, sendBy?: Date): Promise<PodWriteResult>;
  /** Strategic merge patch of the `status` subresource, for this very pod (`uid`). */
  patchPodStatus(ref: PodRef, uid: string, patch: object): Promise<WriteResult<unknown>>;

  /** Succeeds also when a pod of that name exists; what the API server refuses for good until somebody mends it is told, not thrown. */
  createPod(pod: Pod): Promise<CreateResult>;
  /** Deletes this very pod (`uid`); succeeds also when it is gone. */
  deletePod(ref: PodRef, uid: string): Promise<void>;

  readSidecarSet(name: string): Promise<SidecarSet | undefined>;
  /** Replaces the whole status; the resourceVersion of `sidecarSet` guards it. */
  writeSidecarSetStatus(sidecarSet: SidecarSet, status: SidecarSetStatus): Promise<WriteResult<SidecarSet>>;

  /** The epoch of the planner that leads now; undefined when none ever did. */
  readEpoch(): Promise<number | undefined>;

  listRevisions(sidecarSet: string): Promise<ControllerRevision[]>;
  /** Resolves to undefined when another object has that name. */
  createRevision(revision: ControllerRevision): Promise<ControllerRevision | undefined>;
  updateRevision(revision: ControllerRevision): Promise<WriteResult<ControllerRevision>>;
  deleteRevision(name: string): Promise<void>;
}

/** One phase of one pod, by keys; the phase queue's job. */
export interface PhaseJobKeys {
  namespace: string;
  pod: string;
  uid: string;
  sidecarSet: string;
  revision: string;
  phase: UpgradePhase;
  attempt: number;
  epoch?: number;
  /** `metadata.generation` of the SidecarSet when the pod was picked. */
  generation?: number;
  /** The pod was not ready when it was picked, so beginning it takes nothing of maxUnavailable: it must not be begun once it is ready. */
  pickedUnready?: true;
  /** Unix milliseconds. */
  askedAt?: number;
  traceparent?: string;
}

export interface JobOptions {
  delayMs?: number;
  priority?: number;
}

/** The to-do list of the workers. */
export interface JobPort {
  enqueue(jobs: readonly PhaseJobKeys[], options?: JobOptions): Promise<void>;
}

/** As much of a pod as an Event about it needs. */
export type KnownPod = Pick<FullPod, 'metadata'> & Partial<Pick<FullPod, 'spec'>>;

/** Tells people what happened; never rejects and never makes the caller wait. */
export interface EventPort {
  /** Without the spec of the pod, the Event points at no container; its message names it anyway. */
  onPod(pod: KnownPod, event: PodEvent & { container?: string }): void;
  onSidecarSet(sidecarSet: SidecarSet, event: RolloutEvent): void;
}

export interface Clock {
  now(): Date;
}

/** A clock that can also wake somebody. */
export interface AlarmClock extends Clock {
  /** Calls `run` once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}
