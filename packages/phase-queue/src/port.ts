/** The five-method port between the planner, the workers and whatever holds the to-do list. */

export type Phase = 'upgrade' | 'migration' | 'reset' | 'abort';

/** Keys only: whoever runs the job reads the objects afresh. */
export interface PhaseJob {
  namespace: string;
  pod: string;
  uid: string;
  sidecarSet: string;
  /** The SidecarSet's hash that the job works towards. */
  revision: string;
  phase: Phase;
  attempt: number;
  /** `leaseTransitions` of the planner that asked for it: a fencing epoch for the logs, never a lock. */
  epoch?: number;
  traceparent?: string;
}

/** `<pod uid>.<sidecarset>.<revision>.<phase>.<attempt>`: the same work always has the same id, so asking twice is asking once. */
export const phaseJobId = (job: PhaseJob): string =>
  [job.uid, job.sidecarSet, job.revision, job.phase, job.attempt].join('.');

/** `done`: finished or overtaken; the job goes. `not-yet`: come back after the delay, without holding a worker. */
export type PhaseOutcome = { kind: 'done'; next?: PhaseJob } | { kind: 'not-yet'; afterMs: number; reason: string };

export interface EnqueueOptions {
  /** Not before this many milliseconds from now. */
  delayMs?: number;
  /** Smaller runs first; 1 is the most urgent. */
  priority?: number;
}

export interface QueueDepth {
  waiting: number;
  active: number;
  delayed: number;
  failed: number;
}

export interface PhaseConsumer {
  /** Takes no new job, waits for the running ones, gives up after `timeoutMs`. */
  close(timeoutMs?: number): Promise<void>;
}

export interface PhaseQueuePort {
  /**
   * Adds jobs that are not there yet. A job whose id waits with a delay is brought forward instead; one that runs is noted, and
   * run once more when it ends. Rejects fast (`QUEUE_UNAVAILABLE`) when the queue cannot be reached.
   */
  enqueue(jobs: readonly PhaseJob[], options?: EnqueueOptions): Promise<void>;
  /**
   * Runs jobs. A handler that rejects is retried by the error's `retry` rule (`never` drops the job); a worker that dies has its
   * jobs run again by another one.
   */
  consume(
    handler: (job: PhaseJob, signal: AbortSignal) => Promise<PhaseOutcome>,
    options: { concurrency: number },
  ): Promise<PhaseConsumer>;
  depth(): Promise<QueueDepth>;
  /** Resolves when the queue answers, rejects otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
