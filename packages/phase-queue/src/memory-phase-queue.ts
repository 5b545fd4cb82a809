import { randomUUID } from 'node:crypto';
import { queueClosed, queueUnavailable } from './errors.js';
import { type PhaseJob, parsePhaseJob, phaseJobId } from './phase-job.js';
import {
  DEFAULT_PRIORITY,
  type EnqueueOptions,
  type PhaseConsumer,
  type PhaseHandler,
  type PhaseOutcome,
  type PhaseQueuePort,
  type QueueDepth,
  type QueueObserver,
  type QueueState,
} from './port.js';
import { retryDelayMs } from './retry.js';
import { WaitingLine } from './waiting-line.js';

interface Wish {
  delayMs: number;
  priority: number;
}

interface Note {
  job: PhaseJob;
  wish: Wish;
}

interface Entry {
  id: string;
  job: PhaseJob;
  priority: number;
  state: 'waiting' | 'delayed' | 'active';
  failures: number;
  dueAt: number;
  timer?: NodeJS.Timeout;
  again?: Note;
}

interface Run {
  entry: Entry;
  controller: AbortController;
  ended: Promise<void>;
}

interface Consumer {
  handler: PhaseHandler;
  concurrency: number;
  running: Set<Run>;
}

export interface MemoryPhaseQueueOptions {
  observe?: QueueObserver;
  /** 0 to 1, for the jitter of retries. */
  random?: () => number;
}

/**
 * The queue inside one process: for the `all` role without Redis, and for tests. It passes the contract suite of the Redis
 * queue; what it holds ends with the process, which costs nothing, because the planner finds the work again.
 */
export class MemoryPhaseQueue implements PhaseQueuePort {
  private readonly entries = new Map<string, Entry>();
  private readonly line = new WaitingLine<Entry>();
  private readonly consumers = new Set<Consumer>();
  private readonly observe: QueueObserver;
  private readonly random: () => number;
  private generation = randomUUID();
  private reachable = true;
  private closed = false;

  constructor(options: MemoryPhaseQueueOptions = {}) {
    this.observe = options.observe ?? (() => undefined);
    this.random = options.random ?? Math.random;
  }

  async enqueue(jobs: readonly PhaseJob[], options: EnqueueOptions = {}): Promise<void> {
    this.check();
    for (const job of jobs) this.add(job, wishOf(options));
    this.pump();
  }

  async consume(handler: PhaseHandler, options: { concurrency: number }): Promise<PhaseConsumer> {
    if (this.closed) throw queueClosed();
    const consumer: Consumer = { handler, concurrency: options.concurrency, running: new Set() };
    this.consumers.add(consumer);
    this.pump();
    return { close: (timeoutMs = 30_000) => this.closeConsumer(consumer, timeoutMs) };
  }

  async depth(): Promise<QueueDepth> {
    this.check();
    const depth: QueueDepth = { waiting: 0, active: 0, delayed: 0 };
    for (const entry of this.entries.values()) depth[entry.state] += 1;
    return depth;
  }

  async ping(): Promise<QueueState> {
    this.check();
    return { generation: this.generation };
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.consumers].map((consumer) => this.closeConsumer(consumer, 30_000)));
    this.forget();
  }

  /** Loses every job, as `FLUSHALL` does to Redis; the running ones end unnoticed. */
  flush(): void {
    this.forget();
    this.generation = randomUUID();
  }

  /** Cuts the queue off, or brings it back: producers are refused and consumers take nothing meanwhile. */
  setReachable(reachable: boolean): void {
    this.reachable = reachable;
    this.pump();
  }

  private check(): void {
    if (this.closed) throw queueClosed();
    if (!this.reachable) throw queueUnavailable('it was made unreachable');
  }

  private forget(): void {
    for (const entry of this.entries.values()) clearTimeout(entry.timer);
    this.entries.clear();
    this.line.clear();
  }

  private add(given: PhaseJob, wish: Wish): void {
    const job = parsePhaseJob(given);
    const id = phaseJobId(given);
    if (job === undefined) {
      this.observe({ kind: 'job-malformed', id });
      return;
    }
    const known = this.entries.get(id);
    if (known !== undefined && known.state !== 'active') known.job = job;
    if (known === undefined) {
      const entry: Entry = { id, job, priority: wish.priority, state: 'waiting', failures: 0, dueAt: 0 };
      this.entries.set(id, entry);
      this.schedule(entry, wish.delayMs);
    } else if (known.state === 'active') known.again = { job, wish };
    else if (known.state === 'delayed' && Date.now() + wish.delayMs < known.dueAt) this.schedule(known, wish.delayMs);
  }

  private schedule(entry: Entry, delayMs: number): void {
    clearTimeout(entry.timer);
    if (delayMs <= 0) {
      entry.state = 'waiting';
      this.line.push(entry, entry.priority);
      return;
    }
    entry.state = 'delayed';
    entry.dueAt = Date.now() + delayMs;
    entry.timer = setTimeout(() => {
      this.schedule(entry, 0);
      this.pump();
    }, delayMs);
    entry.timer.unref();
  }

  private pump(): void {
    for (;;) {
      const consumer = [...this.consumers].find((one) => one.running.size < one.concurrency);
      const entry = this.reachable && consumer !== undefined ? this.line.shift() : undefined;
      if (entry === undefined || consumer === undefined) return;
      this.start(consumer, entry);
    }
  }

  private start(consumer: Consumer, entry: Entry): void {
    entry.state = 'active';
    const run: Run = { entry, controller: new AbortController(), ended: Promise.resolve() };
    consumer.running.add(run);
    run.ended = this.execute(consumer, run).then(() => this.pump());
  }

  private async execute(consumer: Consumer, run: Run): Promise<void> {
    const { entry } = run;
    let delayMs: number | undefined;
    try {
      delayMs = this.follow(await consumer.handler(entry.job, run.controller.signal));
    } catch (error) {
      entry.failures += 1;
      const retryInMs = retryDelayMs(error, entry.failures, this.random());
      this.observe({ kind: 'job-failed', job: entry.job, error, retryInMs });
      if (retryInMs !== 'never') delayMs = retryInMs;
    }
    if (!consumer.running.delete(run)) return;
    this.settle(entry, delayMs);
  }

  private follow(outcome: PhaseOutcome): number | undefined {
    if (outcome.kind === 'not-yet') return outcome.afterMs;
    if (outcome.next !== undefined) this.add(outcome.next, wishOf(outcome.nextOptions));
    return undefined;
  }

  /** `delayMs` undefined: the job is finished. */
  private settle(entry: Entry, delayMs: number | undefined): void {
    if (this.entries.get(entry.id) !== entry) return;
    const { again } = entry;
    delete entry.again;
    if (delayMs === undefined) this.entries.delete(entry.id);
    else this.schedule(entry, delayMs);
    if (again !== undefined) this.add(again.job, again.wish);
  }

  private async closeConsumer(consumer: Consumer, timeoutMs: number): Promise<void> {
    this.consumers.delete(consumer);
    await Promise.race([Promise.all([...consumer.running].map((run) => run.ended)), expiry(timeoutMs)]);
    for (const run of consumer.running) {
      consumer.running.delete(run);
      run.controller.abort(queueClosed());
      if (this.entries.get(run.entry.id) === run.entry) this.schedule(run.entry, 0);
    }
    this.pump();
  }
}

const wishOf = (options: EnqueueOptions = {}): Wish => ({
  delayMs: options.delayMs ?? 0,
  priority: options.priority ?? DEFAULT_PRIORITY,
});

const expiry = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
