import { DelayedError, type Job, Worker } from 'bullmq';
import { queueClosed } from './errors.js';
import { type PhaseJob, parsePhaseJob } from './phase-job.js';
import type { EnqueueOptions, PhaseConsumer, PhaseHandler, PhaseOutcome, QueueObserver } from './port.js';
import type { RedisClient } from './redis-connect.js';
import { retryDelayMs } from './retry.js';

/** How fast a dead worker's job is given to another one, in milliseconds. */
export interface ConsumerTiming {
  /** A job belongs to its worker for this long without a sign of life; renewed at half of it. */
  lockMs: number;
  /** How often any worker looks for jobs whose worker died. */
  stalledCheckMs: number;
}

export const DEFAULT_TIMING: ConsumerTiming = { lockMs: 10_000, stalledCheckMs: 5_000 };

/** A job that killed this many workers in a row is dropped; the planner will ask for it again. */
const MAX_STALLS = 10;
const AFTER_CONNECTION_ERROR_MS = 500;
/** BullMQ's way to say "do not retry". */
const DROP = -1;

interface ConsumerParts {
  queue: {
    enqueue(jobs: readonly PhaseJob[], options?: EnqueueOptions): Promise<void>;
    settle(job: PhaseJob): Promise<void>;
  };
  name: string;
  prefix: string;
  client: RedisClient;
  handler: PhaseHandler;
  observe: QueueObserver;
  concurrency: number;
  timing: ConsumerTiming;
  onClosed: () => void;
}

/** A worker that can stop holding on to its jobs while they still run. */
class AbandonableWorker extends Worker {
  /** BullMQ renews the locks of running jobs for as long as they run, also after the connection was closed for good. */
  async abandonJobs(reason: string): Promise<void> {
    this.cancelAllJobs(reason);
    await this.lockManager.close();
    // Never resolves when Redis is away, but has stopped the reconnecting by then.
    void this.disconnect().catch(() => undefined);
  }
}

/** Runs jobs of the Redis queue; made by `RedisPhaseQueue.consume`. */
export class RedisPhaseConsumer implements PhaseConsumer {
  private readonly worker: AbandonableWorker;
  private readonly settling = new Set<Promise<void>>();
  private readonly running = new Set<Promise<unknown>>();
  private closing: Promise<void> | undefined;

  constructor(private readonly parts: ConsumerParts) {
    // BullMQ hands the signal only to a processor that declares three parameters.
    this.worker = new AbandonableWorker(parts.name, (job, token, signal) => this.process(job, token, signal), {
      connection: parts.client,
      prefix: parts.prefix,
      concurrency: parts.concurrency,
      lockDuration: parts.timing.lockMs,
      stalledInterval: parts.timing.stalledCheckMs,
      maxStalledCount: MAX_STALLS,
      runRetryDelay: AFTER_CONNECTION_ERROR_MS,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
      settings: { backoffStrategy: (failures, _type, error) => this.backoff(failures, error) },
    });
    this.worker.on('error', (error) => parts.observe({ kind: 'connection-error', error }));
    this.worker.on('stalled', (id) => parts.observe({ kind: 'job-stalled', id }));
    this.worker.on('completed', (job) => this.settle(job));
    this.worker.on('failed', (job, error) => this.failed(job, error));
    parts.client.on('error', (error) => parts.observe({ kind: 'connection-error', error }));
  }

  close(timeoutMs = 30_000): Promise<void> {
    this.closing ??= this.shutDown(timeoutMs);
    return this.closing;
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    let expire: NodeJS.Timeout | undefined;
    const expired = new Promise<false>((resolve) => {
      expire = setTimeout(() => resolve(false), timeoutMs);
    });
    const ended = this.worker.close().then(
      () => true,
      () => true,
    );
    if (!(await Promise.race([ended, expired, this.idleWithoutRedis()]))) {
      await this.worker.abandonJobs(queueClosed().message);
    }
    await Promise.race([Promise.all(this.settling), expired]);
    clearTimeout(expire);
    this.parts.client.disconnect();
    this.parts.onClosed();
  }

  /** Resolves once nothing runs and Redis is away: nothing can be written any more, so there is nothing to wait for. */
  private async idleWithoutRedis(): Promise<false> {
    const { client } = this.parts;
    await Promise.allSettled(this.running);
    if (client.status === 'ready') await new Promise((resolve) => client.once('close', resolve));
    return false;
  }

  private async process(job: Job, token: string | undefined, signal: AbortSignal | undefined): Promise<void> {
    const phaseJob = parsePhaseJob(job.data);
    if (phaseJob === undefined) {
      this.parts.observe({ kind: 'job-malformed', id: job.id ?? '' });
      return;
    }
    const outcome = await this.handle(phaseJob, signal ?? new AbortController().signal);
    if (outcome.kind === 'not-yet') {
      await job.moveToDelayed(Date.now() + outcome.afterMs, token);
      this.settle(job);
      throw new DelayedError();
    }
    if (outcome.next !== undefined) await this.parts.queue.enqueue([outcome.next], outcome.nextOptions);
  }

  private async handle(job: PhaseJob, signal: AbortSignal): Promise<PhaseOutcome> {
    const handled = this.parts.handler(job, signal).catch(rethrowAsError);
    this.running.add(handled);
    try {
      return await handled;
    } finally {
      this.running.delete(handled);
    }
  }

  private backoff(failures: number, error: Error | undefined): number {
    const delay = retryDelayMs(error, failures, Math.random());
    return delay === 'never' ? DROP : delay;
  }

  private failed(job: Job | undefined, error: Error): void {
    const phaseJob = parsePhaseJob(job?.data);
    if (job === undefined || phaseJob === undefined) return;
    const retryInMs = retryDelayMs(error, Math.max(1, job.attemptsMade), 1);
    this.parts.observe({ kind: 'job-failed', job: phaseJob, error, retryInMs });
    this.settle(job);
  }

  /** Failing to read the note costs only time: the note stays, and the planner asks again anyway. */
  private settle(job: Job): void {
    const phaseJob = parsePhaseJob(job.data);
    if (phaseJob === undefined) return;
    const settled = this.parts.queue
      .settle(phaseJob)
      .catch((error: unknown) => this.parts.observe({ kind: 'connection-error', error }))
      .finally(() => this.settling.delete(settled));
    this.settling.add(settled);
  }
}

/** BullMQ reads `message` of whatever a processor rejects with. */
const rethrowAsError = (reason: unknown): never => {
  throw reason instanceof Error ? reason : new Error(String(reason));
};
