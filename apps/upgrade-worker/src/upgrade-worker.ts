import { QueueMonitor } from '@sidestep/controller';
import { EventRecorder, HttpKubeApi, loadKubeConfig, RateLimiter, systemClock } from '@sidestep/kube';
import { createMetrics, HealthServer, type Logger, type Metrics } from '@sidestep/observability';
import { MemoryPhaseQueue, type PhaseQueuePort, type QueueEvent, RedisPhaseQueue } from '@sidestep/phase-queue';
import type { Config } from './config.js';
import { KubeCluster } from './kube-cluster.js';
import { KubeEvents } from './kube-events.js';
import { PlannerRole } from './planner-role.js';
import { WorkerRole } from './worker-role.js';

/** What waits of Events when the process ends may take so long, within the grace period that phases leave. */
const LAST_EVENTS_MS = 3_000;

/** One process of the upgrade worker: what its role needs, built, started and stopped in order. */
export class UpgradeWorker {
  readonly metrics: Metrics = createMetrics();
  private readonly api: HttpKubeApi;
  private readonly recorder: EventRecorder;
  private readonly queue: PhaseQueuePort;
  private readonly monitor: QueueMonitor;
  private readonly planner: PlannerRole | undefined;
  private readonly worker: WorkerRole | undefined;
  private readonly health: HealthServer;

  /** `onLost`: planning must end at once, best by ending the process. Throws for a kubeconfig or an address that cannot be used. */
  constructor(
    private readonly config: Config,
    private readonly log: Logger,
    onLost: (reason: string) => void,
  ) {
    this.api = this.connect();
    this.recorder = new EventRecorder({
      api: this.api.fairShare('events'),
      component: 'sidestep',
      instance: config.instance,
      qps: config.eventQps,
      onDropped: (why) => this.metrics.eventsDropped.inc({ why }),
    });
    this.queue = this.openQueue();
    this.monitor = new QueueMonitor({
      ping: () => this.pingQueue(),
      clock: systemClock,
      onChange: (change) => {
        this.log[change.available ? 'info' : 'warn']({ ...change }, 'queue changed');
        this.planner?.queueChanged(change);
      },
    });
    this.planner = config.role === 'worker' ? undefined : this.planning(onLost);
    this.worker = config.role === 'planner' ? undefined : this.working();
    this.health = this.healthServer();
  }

  /** Resolves once the health server listens and work was begun; readiness tells the rest. */
  async start(): Promise<{ url: string }> {
    const { url } = await this.health.start();
    await this.monitor.start();
    this.planner?.start();
    await this.worker?.start();
    const { role, queue, namespace, concurrency } = this.config;
    this.log.info({ url, role, queue, namespace, concurrency }, 'started');
    return { url };
  }

  /** Lets running phases end, gives the lease back, tells the last Events. */
  async stop(): Promise<void> {
    this.health.drain();
    const timeoutMs = this.config.stopSeconds * 750;
    await Promise.all([this.worker?.stop(timeoutMs), this.planner?.stop(timeoutMs)]);
    this.monitor.stop();
    await this.recorder.flush(LAST_EVENTS_MS);
    await this.queue.close();
    await this.health.stop();
    this.api.close();
  }

  private connect(): HttpKubeApi {
    const { kubeconfig, home, kubeQps, kubeBurst } = this.config;
    return new HttpKubeApi({
      connection: loadKubeConfig({ kubeconfig, home }),
      limiter: new RateLimiter({ qps: kubeQps, burst: kubeBurst }),
      userAgent: 'sidestep-upgrade-worker',
      onCall: ({ verb, resource, status, seconds }) =>
        this.metrics.kubeCallSeconds.observe({ verb, resource, status: String(status) }, seconds),
    });
  }

  private openQueue(): PhaseQueuePort {
    const observe = (event: QueueEvent): void => this.queueEvent(event);
    return this.config.queue === 'memory'
      ? new MemoryPhaseQueue({ observe })
      : new RedisPhaseQueue({ url: this.config.redisUrl, name: this.config.queueName, observe });
  }

  private planning(onLost: (reason: string) => void): PlannerRole {
    const { namespace, instance, leaseName, leaseSeconds } = this.config;
    const api = this.api.fairShare('planner');
    return new PlannerRole({
      api,
      cluster: new KubeCluster(api, namespace, leaseName),
      queue: this.queue,
      events: new KubeEvents(this.recorder),
      namespace,
      instance,
      lease: { name: leaseName, seconds: leaseSeconds },
      log: this.log.child({ part: 'planner' }),
      metrics: this.metrics,
      onLost,
    });
  }

  private working(): WorkerRole {
    const { namespace, concurrency, managedFields, leaseName } = this.config;
    return new WorkerRole({
      clusterFor: (sidecarSet) => new KubeCluster(this.api.fairShare(`set ${sidecarSet}`), namespace, leaseName),
      queue: this.queue,
      events: new KubeEvents(this.recorder),
      concurrency,
      managedFields,
      log: this.log.child({ part: 'worker' }),
      metrics: this.metrics,
    });
  }

  private healthServer(): HealthServer {
    const { planner, monitor, metrics } = this;
    return new HealthServer({
      host: this.config.healthHost,
      port: this.config.healthPort,
      ready: {
        queue: () => monitor.unavailable,
        ...(planner === undefined ? {} : { caches: () => planner.notReady }),
      },
      metrics: metrics.registry,
      ...(planner === undefined ? {} : { json: { '/planner': () => planner.view() } }),
    });
  }

  private async pingQueue(): Promise<{ generation: string }> {
    try {
      const state = await this.queue.ping();
      const depth = await this.queue.depth();
      for (const [state, jobs] of Object.entries(depth)) this.metrics.phaseJobs.set({ state }, jobs);
      this.metrics.queueConnected.set(1);
      return state;
    } catch (error) {
      this.metrics.queueConnected.set(0);
      throw error;
    }
  }

  private queueEvent(event: QueueEvent): void {
    switch (event.kind) {
      case 'job-failed':
        this.log.warn({ ...event.job, error: event.error, retryInMs: event.retryInMs }, 'phase failed');
        break;
      case 'job-malformed':
        this.log.warn({ jobId: event.id }, 'dropped a job that cannot be read');
        break;
      case 'job-stalled':
        this.log.warn({ jobId: event.id }, 'the worker of a job died; it is run again');
        break;
      case 'connection-error':
        this.log.debug({ error: event.error }, 'queue connection');
        break;
      case 'warning':
        this.log.warn({ detail: event.message }, 'queue');
        break;
    }
  }
}
