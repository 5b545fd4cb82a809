import {
  type DecideOptions,
  type PodConditionWrite,
  type ProjectedPod,
  type RolloutDecision,
  type RolloutJob,
  RolloutLedger,
  type RolloutSubject,
  type SidecarSet,
} from '@sidestep/core';
import type { SidecarSetView } from './planner.js';
import type { PlannerCache } from './planner-cache.js';
import type { Clock, ClusterPort, EventPort, JobOptions, JobPort, PhaseJobKeys } from './ports.js';
import { PrePulls } from './pre-pulls.js';
import type { QueueChange } from './queue-monitor.js';
import type { RevisionKeeper } from './revision-keeper.js';
import { isUrgent, type StatusWriter } from './status-writer.js';

export interface ReconcilerParts {
  cluster: Pick<ClusterPort, 'patchPodStatus' | 'createPod' | 'deletePod'>;
  cache: PlannerCache;
  jobs: JobPort;
  events: EventPort;
  clock: Clock;
  namespace: string;
  epoch: number;
  revisions: RevisionKeeper;
  statuses: StatusWriter;
  onDecision?: (sidecarSet: string, decision: RolloutDecision) => void;
}

/** One look at the SidecarSet, and what it came to. */
interface Look {
  ledger: RolloutLedger;
  sidecarSet: SidecarSet;
  decision: RolloutDecision;
  resync: boolean;
}

/** Jobs that were asked for and led to nothing are asked for again after this long: they may have been lost anywhere. */
const ASK_AGAIN_MS = 60_000;
/** Pods whose condition is written at once. */
const CONDITION_WRITERS = 8;
/** While the queue is away its monitor wakes everybody; this is only for a monitor that does not. */
const QUEUE_AWAY_MS = 5_000;

/** The rollout of one SidecarSet: its ledger of pods, and the order in which a decision is carried out. */
export class SidecarSetReconciler {
  readonly uid: string | undefined;
  private readonly name: string;
  private ledger: RolloutLedger | undefined;
  private readonly pulls: PrePulls;
  private dependsOnNamespaces = true;
  private prePull = false;
  private namespaceLabels: NonNullable<RolloutSubject['namespaceLabels']>;
  private mustAskAgain = true;
  private refused = false;
  private askedAt = 0;
  private jobsAsked = 0;
  private last: { decision: RolloutDecision; at: Date } | undefined;

  constructor(
    private readonly parts: ReconcilerParts,
    sidecarSet: SidecarSet,
  ) {
    this.uid = sidecarSet.metadata.uid;
    this.name = sidecarSet.metadata.name ?? '';
    this.namespaceLabels = this.readLabels();
    this.pulls = new PrePulls(parts);
  }

  /** The image is brought to the nodes first. */
  get prePulls(): boolean {
    return this.prePull;
  }

  get view(): SidecarSetView | undefined {
    if (this.last === undefined) return undefined;
    const { decision, at } = this.last;
    const { status, revision, blocked } = decision;
    return { name: this.name, revision, status, blocked, reconciledAt: at.toISOString(), jobsAsked: this.jobsAsked };
  }

  /** The last look found nothing to begin and nothing under way. */
  get rests(): boolean {
    return this.last?.decision.jobs.length === 0 && (this.last.decision.status.upgradingPods ?? 0) === 0;
  }

  /** The next look asks for every job that is due, also those asked for before. */
  askAgain(): void {
    this.mustAskAgain = true;
  }

  /** Namespace labels changed. True when that may matter here. */
  namespaceChanged(): boolean {
    this.namespaceLabels = this.readLabels();
    return this.dependsOnNamespaces;
  }

  podChanged(key: string, pod: ProjectedPod | undefined): void {
    if (pod === undefined) this.ledger?.removePod(key);
    else this.ledger?.applyPod(pod, this.parts.clock.now());
  }

  /** Gather, decide, act. Resolves to the milliseconds until time alone makes another look worthwhile. */
  async reconcile(cached: SidecarSet, queue: QueueChange): Promise<number | undefined> {
    const sidecarSet = this.parts.statuses.freshest(cached);
    const ledger = await this.gather(sidecarSet);
    const resync = this.mustAskAgain || this.parts.clock.now().getTime() - this.askedAt >= ASK_AGAIN_MS;
    const decision = this.decide(ledger, { resync, queueAvailable: queue.available });
    try {
      return await this.act({ ledger, sidecarSet, decision, resync }, queue);
    } catch (error) {
      // The ledger takes what it handed out for done.
      this.mustAskAgain = true;
      throw error;
    }
  }

  private decide(ledger: RolloutLedger, options: DecideOptions): RolloutDecision {
    const at = this.parts.clock.now();
    const decision = ledger.decide(at, options);
    this.last = { decision, at };
    this.parts.onDecision?.(this.name, decision);
    return decision;
  }

  private async gather(sidecarSet: SidecarSet): Promise<RolloutLedger> {
    const { cache, revisions, clock } = this.parts;
    const stored = cache.revisionsOf(this.name);
    // Before the pods are known every revision may be one that a pod runs.
    const inUse = this.ledger?.revisionsInUse() ?? new Set(stored.map(({ metadata }) => metadata.name ?? ''));
    const kept = await revisions.keep(sidecarSet, stored, inUse);
    this.dependsOnNamespaces = sidecarSet.spec.namespaceSelector !== undefined;
    const subject: RolloutSubject = {
      sidecarSet,
      revisions: kept.revisions,
      latestRevision: kept.latest,
      collisionCount: kept.collisionCount,
      ...(this.dependsOnNamespaces ? { namespaceLabels: this.namespaceLabels } : {}),
    };
    if (this.ledger === undefined) this.ledger = this.load(subject);
    else this.ledger.setSubject(subject, clock.now());
    this.prePull = sidecarSet.spec.updateStrategy?.prePull === true;
    if (this.prePull) this.pulls.gather(this.ledger);
    return this.ledger;
  }

  private load(subject: RolloutSubject): RolloutLedger {
    const now = this.parts.clock.now();
    const ledger = new RolloutLedger();
    ledger.setSubject(subject, now);
    for (const pod of this.parts.cache.podsOf(this.name)) ledger.applyPod(pod, now);
    return ledger;
  }

  /**
   * Workers stamp pods with `status.latestRevision`, so a new one is written before any job is asked for; otherwise jobs go
   * first, because pods wait for them and nobody waits for counters.
   */
  private async act(look: Look, queue: QueueChange): Promise<number | undefined> {
    const { ledger, sidecarSet, decision } = look;
    const { statuses } = this.parts;
    this.tell(sidecarSet, decision);
    const early = !this.refused && isUrgent(sidecarSet.status, decision.status);
    let statusDue = early ? await statuses.write(sidecarSet, decision.status) : undefined;
    if (early && statusDue !== undefined) {
      this.mustAskAgain = true;
      return statusDue;
    }
    this.refused = queue.available && !(await this.ask(look));
    if (this.refused) return this.tellRefusal(look);
    await this.writeConditions(decision.conditionWrites);
    const pullsDue = await this.pulls.act(ledger, sidecarSet, decision);
    if (!early) statusDue = await statuses.write(sidecarSet, decision.status);
    const askDue = queue.available ? this.askAgainIn(decision) : QUEUE_AWAY_MS;
    return soonest([statusDue, pullsDue, decision.requeueAfterMs, askDue]);
  }

  /** A queue that answers but takes nothing (Redis out of memory) is away as well, though its monitor does not see it. */
  private async tellRefusal({ ledger, sidecarSet }: Look): Promise<number> {
    const decision = this.decide(ledger, { queueAvailable: false });
    const { statuses } = this.parts;
    this.tell(sidecarSet, decision);
    await statuses.write(statuses.freshest(sidecarSet), decision.status);
    return QUEUE_AWAY_MS;
  }

  /** After every decision: what it names, the ledger takes for told. */
  private tell(sidecarSet: SidecarSet, decision: RolloutDecision): void {
    const { events } = this.parts;
    for (const event of decision.events) events.onSidecarSet(sidecarSet, event);
    for (const { namespace, pod: name, uid, event } of decision.podEvents)
      events.onPod({ metadata: { namespace, name, uid } }, event);
  }

  /** False when the queue refused; it is asked again for everything then. */
  private async ask(look: Look): Promise<boolean> {
    const { jobs } = look.decision;
    try {
      for (const [options, group] of grouped(jobs)) {
        await this.parts.jobs.enqueue(
          group.map((job) => this.keysOf(job, look.sidecarSet)),
          options,
        );
      }
    } catch (error) {
      this.mustAskAgain = true;
      if ((error as { code?: unknown }).code === 'QUEUE_UNAVAILABLE') return false;
      throw error;
    }
    this.jobsAsked += jobs.length;
    if (look.resync) {
      this.mustAskAgain = false;
      this.askedAt = this.parts.clock.now().getTime();
    }
    return true;
  }

  private keysOf({ priority: _, delayMs: __, ...job }: RolloutJob, { metadata }: SidecarSet): PhaseJobKeys {
    const { epoch, clock } = this.parts;
    const { generation } = metadata;
    const keys = { ...job, sidecarSet: this.name, epoch, askedAt: clock.now().getTime() };
    return generation === undefined ? keys : { ...keys, generation };
  }

  private async writeConditions(writes: readonly PodConditionWrite[]): Promise<void> {
    const left = [...writes];
    const write = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const { namespace, pod, uid, statusPatch } = next;
        await this.parts.cluster.patchPodStatus({ namespace, name: pod }, uid, statusPatch);
      }
    };
    await Promise.all(Array.from({ length: CONDITION_WRITERS }, write));
  }

  private askAgainIn(decision: RolloutDecision): number | undefined {
    const busy = (decision.status.upgradingPods ?? 0) > 0 || decision.jobs.length > 0;
    return busy ? ASK_AGAIN_MS : undefined;
  }

  /** A new function each time: that tells the ledger to look at every pod again. */
  private readLabels(): NonNullable<RolloutSubject['namespaceLabels']> {
    return (namespace) => this.parts.cache.namespaceLabels(namespace);
  }
}

const grouped = (jobs: readonly RolloutJob[]): [JobOptions, RolloutJob[]][] => {
  const groups = new Map<string, [JobOptions, RolloutJob[]]>();
  for (const job of jobs) {
    const { priority, delayMs } = job;
    const key = `${priority} ${delayMs ?? 0}`;
    const group = groups.get(key);
    if (group !== undefined) group[1].push(job);
    else groups.set(key, [{ priority, ...(delayMs === undefined ? {} : { delayMs }) }, [job]]);
  }
  return [...groups.values()].sort(([a], [b]) => (a.priority ?? 0) - (b.priority ?? 0));
};

const soonest = (delays: (number | undefined)[]): number | undefined => {
  const known = delays.filter((delay) => delay !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
};
