import { type ClusterPort, type EventPort, Planner, type QueueChange, TARGET_FRESH_MS } from '@sidestep/controller';
import { KRUISE } from '@sidestep/core';
import { delay, type KubeApi, LeaseElection, systemClock, WorkQueue } from '@sidestep/kube';
import { currentTrace, type Logger, type Metrics, withSpan } from '@sidestep/observability';
import type { PhaseJob, PhaseQueuePort } from '@sidestep/phase-queue';
import { PlannerCaches } from './planner-caches.js';
import { PlannerMetrics } from './planner-metrics.js';

interface Parts {
  api: KubeApi;
  cluster: ClusterPort;
  queue: PhaseQueuePort;
  events: EventPort;
  namespace: string;
  instance: string;
  lease: { name: string; seconds: number };
  log: Logger;
  metrics: Metrics;
  /** The process must end: another planner may act by now. */
  onLost: (reason: string) => void;
}

/** SidecarSets looked at at once; one SidecarSet is never looked at twice at a time. */
const RECONCILERS = 4;
/** In a rollout pods change by the thousand; those of some milliseconds are looked at together. */
const RECONCILE_PACE = { baseDelayMs: 50, maxDelayMs: 30_000, minIntervalMs: 25 };

/** Stands for election, and plans every rollout once elected. Its caches are warm before that. */
export class PlannerRole {
  private readonly caches: PlannerCaches;
  private readonly election: LeaseElection;
  private readonly work = new WorkQueue(RECONCILE_PACE);
  private readonly told: PlannerMetrics;
  private planner: Planner | undefined;
  private queueState: QueueChange = { available: true, filled: true };
  private readonly subscriptions: (() => void)[] = [];

  constructor(private readonly parts: Parts) {
    const { api, namespace, log, metrics, lease } = parts;
    this.caches = new PlannerCaches({ api, namespace, log, metrics });
    this.told = new PlannerMetrics(metrics, log);
    const leaseMs = lease.seconds * 1_000;
    this.election = new LeaseElection({
      api,
      namespace,
      name: lease.name,
      // Two starts under one pod name are two candidates.
      identity: `${parts.instance}_${process.pid}_${Date.now().toString(36)}`,
      leaseDurationMs: leaseMs,
      renewDeadlineMs: (leaseMs * 2) / 3,
      retryPeriodMs: (leaseMs * 2) / 15,
      onAcquired: (epoch) => this.lead(epoch),
      onLost: (reason) => parts.onLost(reason),
      onLeader: (leader) => log.info({ leader }, 'another planner leads'),
      onError: (error) => log.warn({ error }, 'the lease could not be looked at'),
    });
  }

  /** What it still waits for before it could plan; undefined when nothing. */
  get notReady(): string | undefined {
    return this.caches.missing;
  }

  start(): void {
    void this.caches.start();
    this.election.start();
  }

  /** Ends what is being looked at, then gives the lease back, so that the next planner starts from what was written. */
  async stop(timeoutMs: number): Promise<void> {
    for (const end of this.subscriptions) end();
    await this.work.shutdown(timeoutMs);
    await this.election.stop();
    await this.caches.stop();
    this.parts.metrics.leader.set(0);
  }

  queueChanged(change: QueueChange): void {
    this.queueState = change;
    this.planner?.queueChanged(change);
  }

  /** For people: who leads, and what the leader thinks of every SidecarSet. */
  async view(): Promise<object> {
    const { queue } = this.parts;
    return {
      leading: this.election.isLeader,
      leader: this.election.leader,
      queue: { ...this.queueState, depth: await queue.depth().catch(() => undefined) },
      reconciling: { waiting: this.work.depth, running: this.work.processing, later: this.work.delayed },
      sidecarSets: this.planner?.view() ?? [],
    };
  }

  private lead(epoch: number): void {
    const { log, metrics } = this.parts;
    log.info({ epoch }, 'leading');
    metrics.leader.set(1);
    this.plan(epoch).catch((error: unknown) => this.parts.onLost(`planning could not begin: ${String(error)}`));
  }

  private async plan(epoch: number): Promise<void> {
    await this.caches.start();
    // Until then a worker may still take jobs of the planner before for jobs of the one that leads.
    if (epoch > 0) await delay(systemClock, TARGET_FRESH_MS);
    const { cluster, queue, events, namespace } = this.parts;
    const planner = new Planner({
      cluster,
      cache: this.caches,
      jobs: { enqueue: (jobs, options) => queue.enqueue(jobs.map(withTrace), options) },
      events,
      clock: systemClock,
      namespace,
      epoch,
      enqueue: (name) => this.work.add(name),
      onDecision: (name, decision) => this.told.decided(name, decision),
    });
    planner.queueChanged(this.queueState);
    this.planner = planner;
    this.listen(planner);
    planner.reconcileAll();
    await this.work.run(
      RECONCILERS,
      (name) => this.reconcile(planner, name),
      (name, error, retryInMs) => this.parts.log.warn({ sidecarSet: name, error, retryInMs }, 'reconcile failed'),
    );
  }

  private async reconcile(planner: Planner, name: string): Promise<number | undefined> {
    const { reconcileSeconds, reconcileQueue } = this.parts.metrics;
    const end = reconcileSeconds.startTimer();
    reconcileQueue.set({ state: 'waiting' }, this.work.depth);
    try {
      const againInMs = await withSpan('reconcile', { 'sidestep.sidecarset': name }, () => planner.reconcile(name));
      end({ result: 'done' });
      return againInMs;
    } catch (error) {
      end({ result: 'failed' });
      throw error;
    }
  }

  private listen(planner: Planner): void {
    const { sidecarSets, pods, pulls, revisions, namespaces } = this.caches;
    this.subscriptions.push(
      sidecarSets.subscribe(({ key, type }) => {
        if (type === 'deleted') this.told.forget(key);
        planner.sidecarSetChanged(key);
      }),
      pods.subscribe((change) => {
        const previous = change.type === 'updated' ? change.previous : change.object;
        planner.podChanged(change.key, change.type === 'deleted' ? undefined : change.object, previous);
      }),
      pulls.subscribe(() => planner.pullPodChanged()),
      revisions.subscribe(({ object }) => {
        planner.revisionsChanged(object.metadata.labels?.[KRUISE.revisionSidecarSetName] ?? '');
      }),
      namespaces.subscribe((change) => {
        // Annotations and status of Namespaces say nothing about who is selected.
        if (change.type === 'updated' && sameLabels(change.previous, change.object)) return;
        planner.namespaceChanged();
      }),
    );
  }
}

/** One trace spans the decision and the phases that follow from it. */
const withTrace = (job: PhaseJob): PhaseJob => {
  const { traceparent } = currentTrace();
  return traceparent === undefined ? job : { ...job, traceparent };
};

const sameLabels = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean => {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
};
