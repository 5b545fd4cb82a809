/** The five-method port between the planner, the workers and whatever holds the to-do list. */
import type { PhaseJob } from './phase-job.js';

export interface EnqueueOptions {
  /** Not before this many milliseconds from now. */
  delayMs?: number;
  /** Smaller runs first; 1 is the most urgent, 100 the default, 1,000,000 the least. */
  priority?: number;
}

/**
 * `done`: finished or overtaken; the job goes, and `next` is enqueued before it goes, so that no crash loses both.
 * `not-yet`: come back after the delay, without holding a worker.
 */
export type PhaseOutcome =
  | { kind: 'done'; next?: PhaseJob; nextOptions?: EnqueueOptions }
  | { kind: 'not-yet'; afterMs: number; reason: string };

/** Priority of a job enqueued without one. */
export const DEFAULT_PRIORITY = 100;

export interface QueueDepth {
  waiting: number;
  active: number;
  delayed: number;
}

export interface QueueState {
  /** Stays the same as long as the queue keeps what it was given; another value means that it lost it. */
  generation: string;
}

export interface PhaseConsumer {
  /**
   * Takes no new job, waits for the running ones, gives up after `timeoutMs`: their signals are aborted, and they are run
   * again by another consumer.
   */
  close(timeoutMs?: number): Promise<void>;
}

export type PhaseHandler = (job: PhaseJob, signal: AbortSignal) => Promise<PhaseOutcome>;

export interface PhaseQueuePort {
  /**
   * Adds jobs that are not there yet. A job whose id waits takes over everything of the newest one, and is brought forward
   * if it waits with a longer delay; one that runs is noted, and run once more when it ends. Rejects fast (`QUEUE_UNAVAILABLE`)
   * when the queue cannot be reached.
   */
  enqueue(jobs: readonly PhaseJob[], options?: EnqueueOptions): Promise<void>;
  /**
   * Runs jobs. A handler that rejects is retried by the error's `retry` rule (`never` drops the job); a worker that dies has its
   * jobs run again by another one. Resolves at once, also while the queue cannot be reached.
   */
  consume(handler: PhaseHandler, options: { concurrency: number }): Promise<PhaseConsumer>;
  /** Rejects with `QUEUE_UNAVAILABLE` when the queue cannot be reached. */
  depth(): Promise<QueueDepth>;
  /** Resolves when the queue answers, rejects with `QUEUE_UNAVAILABLE` otherwise. */
  ping(): Promise<QueueState>;
  close(): Promise<void>;
}

/** What a queue tells its process, for logs and metrics; nothing depends on it. */
export type QueueEvent =
  | { kind: 'job-failed'; job: PhaseJob; error: unknown; retryInMs: number | 'never' }
  | { kind: 'job-malformed'; id: string }
  | { kind: 'job-stalled'; id: string }
  | { kind: 'connection-error'; error: unknown }
  | { kind: 'warning'; message: string };

export type QueueObserver = (event: QueueEvent) => void;
