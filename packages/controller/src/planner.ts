import {
  type BlockedPods,
  type ProjectedPod,
  pullOwnerOf,
  type RolloutDecision,
  type SidecarSet,
  type SidecarSetStatus,
} from '@sidestep/core';
import { injectedSidecarSets } from './membership.js';
import type { PlannerCache } from './planner-cache.js';
import type { Clock, ClusterPort, EventPort, JobPort } from './ports.js';
import { removePullsOf } from './pre-pulls.js';
import type { QueueChange } from './queue-monitor.js';
import { Rehearsal } from './rehearsal.js';
import { RevisionKeeper } from './revision-keeper.js';
import { SidecarSetReconciler } from './sidecarset-reconciler.js';
import { StatusWriter } from './status-writer.js';

export interface PlannerParts {
  cluster: ClusterPort;
  cache: PlannerCache;
  jobs: JobPort;
  events: EventPort;
  clock: Clock;
  /** Where ControllerRevisions live. */
  namespace: string;
  /** `leaseTransitions` of this planner's lease. */
  epoch: number;
  /** Asks for a SidecarSet to be reconciled soon; many calls may become one reconcile. */
  enqueue(sidecarSet: string): void;
  /** Hears every decision, for metrics and logs. */
  onDecision?: (sidecarSet: string, decision: RolloutDecision) => void;
}

/** What the planner thinks of one SidecarSet, for people. */
export interface SidecarSetView {
  name: string;
  revision: string;
  status: SidecarSetStatus;
  blocked: BlockedPods[];
  reconciledAt: string;
  jobsAsked: number;
}

/**
 * Keeps one rollout per SidecarSet in memory, leads every change of the cluster to those it concerns, and reconciles them one
 * at a time. Exactly one planner may act at a time; whoever makes one holds the lease.
 */
export class Planner {
  private readonly reconcilers = new Map<string, SidecarSetReconciler>();
  private readonly revisions: RevisionKeeper;
  private readonly statuses: StatusWriter;
  private readonly rehearsal = new Rehearsal();
  private queue: QueueChange = { available: true, filled: true };

  constructor(private readonly parts: PlannerParts) {
    this.revisions = new RevisionKeeper(parts.cluster, parts.clock, parts.namespace);
    this.statuses = new StatusWriter(parts.cluster, parts.clock);
  }

  /** Has every SidecarSet looked at; the first call makes the planner take the cluster in as it is. */
  reconcileAll(): void {
    for (const name of this.parts.cache.sidecarSetNames()) this.parts.enqueue(name);
    this.endPullsOfNobody();
  }

  sidecarSetChanged(name: string): void {
    this.parts.enqueue(name);
  }

  revisionsChanged(sidecarSet: string): void {
    if (this.reconcilers.has(sidecarSet)) this.parts.enqueue(sidecarSet);
  }

  /** A pod was added, changed or (`pod` undefined) deleted. Costs the same however many pods there are. */
  podChanged(key: string, pod: ProjectedPod | undefined, previous: ProjectedPod | undefined): void {
    const now = pod === undefined ? [] : injectedSidecarSets(pod);
    const before = previous === undefined ? [] : injectedSidecarSets(previous);
    for (const name of new Set([...now, ...before])) {
      const reconciler = this.reconcilers.get(name);
      if (reconciler === undefined) continue;
      reconciler.podChanged(key, pod);
      this.parts.enqueue(name);
    }
  }

  /** A pod that pulls an image to a node was added, changed or deleted. */
  pullPodChanged(): void {
    for (const [name, reconciler] of this.reconcilers) if (reconciler.prePulls) this.parts.enqueue(name);
    this.endPullsOfNobody();
  }

  /** Labels of a Namespace decide which of its pods a SidecarSet selects. */
  namespaceChanged(): void {
    for (const [name, reconciler] of this.reconcilers) if (reconciler.namespaceChanged()) this.parts.enqueue(name);
  }

  /** The queue is gone, back, or empty: after that everything that is due is asked for again. */
  queueChanged(change: QueueChange): void {
    this.queue = change;
    for (const [name, reconciler] of this.reconcilers) {
      if (!change.filled) reconciler.askAgain();
      this.parts.enqueue(name);
    }
  }

  /** Looks at one SidecarSet and acts. Resolves to the milliseconds after which time alone makes another look worthwhile. */
  async reconcile(name: string): Promise<number | undefined> {
    const sidecarSet = this.parts.cache.sidecarSet(name);
    if (sidecarSet === undefined || sidecarSet.metadata.deletionTimestamp !== undefined) {
      this.forget(name);
      await removePullsOf(name, this.parts);
      return undefined;
    }
    const reconciler = this.reconcilerOf(sidecarSet);
    const againInMs = await reconciler.reconcile(sidecarSet, this.queue);
    if (reconciler.rests) this.rehearse(sidecarSet);
    return againInMs;
  }

  view(): SidecarSetView[] {
    return [...this.reconcilers.values()].flatMap((reconciler) => reconciler.view ?? []);
  }

  private rehearse(sidecarSet: SidecarSet): void {
    const { cache, clock } = this.parts;
    const name = sidecarSet.metadata.name ?? '';
    const subject = { sidecarSet, revisions: cache.revisionsOf(name), latestRevision: '' };
    this.rehearsal.run(subject, cache.podsOf(name), clock.now());
  }

  private reconcilerOf(sidecarSet: SidecarSet): SidecarSetReconciler {
    const name = sidecarSet.metadata.name ?? '';
    const known = this.reconcilers.get(name);
    // A SidecarSet that was deleted and made again under its name is another one.
    if (known !== undefined && known.uid === sidecarSet.metadata.uid) return known;
    this.forget(name);
    const { revisions, statuses } = this;
    const reconciler = new SidecarSetReconciler({ ...this.parts, revisions, statuses }, sidecarSet);
    this.reconcilers.set(name, reconciler);
    return reconciler;
  }

  /** Pods may be seen to pull only after the last look at their SidecarSet, or after it was deleted under another planner. */
  private endPullsOfNobody(): void {
    const { cache, enqueue } = this.parts;
    for (const pod of cache.pullPods()) {
      const owner = pullOwnerOf(pod);
      if (owner !== undefined && cache.sidecarSet(owner) === undefined) enqueue(owner);
    }
  }

  private forget(name: string): void {
    this.reconcilers.delete(name);
    this.revisions.forget(name);
    this.statuses.forget(name);
  }
}
