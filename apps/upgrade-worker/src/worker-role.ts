import {
  type ClusterPort,
  type EventPort,
  PhaseRunner,
  type PhaseRunOutcome,
  rehearsePhases,
  TargetSource,
} from '@sidestep/controller';
import type { ManagedFieldsPolicy } from '@sidestep/core';
import { systemClock } from '@sidestep/kube';
import { continueTrace, type Logger, type Metrics, withSpan } from '@sidestep/observability';
import type { PhaseConsumer, PhaseJob, PhaseOutcome, PhaseQueuePort } from '@sidestep/phase-queue';

interface Parts {
  /** The cluster as seen for one SidecarSet: its calls take turns with those of others. */
  clusterFor(sidecarSet: string): ClusterPort;
  queue: PhaseQueuePort;
  events: EventPort;
  concurrency: number;
  managedFields: ManagedFieldsPolicy;
  log: Logger;
  metrics: Metrics;
}

/** Below the time after which an idle connection is closed, which is 55 s. */
const KEEP_OPEN_EVERY_MS = 45_000;
/** What the first phase calls beside its pod when its worker knows nothing yet: the SidecarSet, its revisions, the lease. */
const CALLS_OF_THE_FIRST = 3;
/** Phases that are made ready for, however many may run at once. */
const MOST_READY = 16;
/** Calls over each connection at the start: Node compiles code while it runs. */
const WARM_UP_ROUNDS = 8;

/** Runs phases. Any number of these may run anywhere; none of them keeps anything. */
export class WorkerRole {
  private consumer: PhaseConsumer | undefined;
  private keepingOpen: NodeJS.Timeout | undefined;
  private readonly targets: TargetSource;

  constructor(private readonly parts: Parts) {
    this.targets = new TargetSource((sidecarSet) => parts.clusterFor(sidecarSet), systemClock);
  }

  async start(): Promise<void> {
    const { queue, concurrency } = this.parts;
    // Whoever has work already does not wait for it.
    void this.warmUp();
    this.keepingOpen = setInterval(() => void this.keepOpen(), KEEP_OPEN_EVERY_MS);
    this.consumer = await queue.consume((job, signal) => this.run(job, signal), { concurrency });
  }

  /** Takes no new phase and lets the running ones end. */
  async stop(timeoutMs: number): Promise<void> {
    clearInterval(this.keepingOpen);
    await this.consumer?.close(timeoutMs);
  }

  /** The first pod of a rollout must not wait until Node has compiled what it takes. */
  private async warmUp(): Promise<void> {
    let answered = await this.keepOpen();
    await rehearsePhases(systemClock);
    for (let round = 1; round < WARM_UP_ROUNDS && answered; round += 1) answered = await this.keepOpen();
  }

  /** Nor for handshakes: as many connections stay open as the first phases make calls at once. False when the API server does not answer. */
  private async keepOpen(): Promise<boolean> {
    const cluster = this.parts.clusterFor('');
    const connections = Math.min(this.parts.concurrency, MOST_READY) + CALLS_OF_THE_FIRST;
    try {
      await Promise.all(Array.from({ length: connections }, () => cluster.readEpoch()));
      return true;
    } catch (error) {
      this.parts.log.debug({ error }, 'the API server does not answer');
      return false;
    }
  }

  private run(job: PhaseJob, signal: AbortSignal): Promise<PhaseOutcome> {
    const { phase, sidecarSet, namespace, pod } = job;
    const carrier = job.traceparent === undefined ? {} : { traceparent: job.traceparent };
    const attributes = { 'sidestep.phase': phase, 'sidestep.sidecarset': sidecarSet, 'k8s.pod.name': pod };
    return continueTrace(carrier, () =>
      withSpan(`phase ${phase}`, { ...attributes, 'k8s.namespace.name': namespace }, () => this.runPhase(job, signal)),
    );
  }

  private async runPhase(job: PhaseJob, signal: AbortSignal): Promise<PhaseOutcome> {
    const { clusterFor, events, metrics, managedFields } = this.parts;
    const askedAt = job.askedAt ?? Date.now();
    const seconds = (): number => Math.max(0, Date.now() - askedAt) / 1_000;
    const cluster = clusterFor(job.sidecarSet);
    try {
      const runner = new PhaseRunner({ cluster, targets: this.targets, events, clock: systemClock, managedFields });
      const outcome = await runner.run(job, signal);
      metrics.phaseSeconds.observe({ phase: job.phase, result: outcome.result }, seconds());
      this.note(job, outcome);
      return outcome;
    } catch (error) {
      metrics.phaseSeconds.observe({ phase: job.phase, result: 'failed' }, seconds());
      throw error;
    }
  }

  private note(job: PhaseJob, outcome: PhaseRunOutcome): void {
    const { result, reason, message } = outcome;
    const { traceparent: _, ...keys } = job;
    this.parts.metrics.decisions.inc({ subject: 'pod', reason });
    const level = result === 'wrote' ? 'info' : 'debug';
    this.parts.log[level]({ ...keys, result, reason, detail: message }, 'phase run');
  }
}
