import { randomUUID } from 'node:crypto';
import { Job, Queue } from 'bullmq';
import { DELAYED_SCRIPT, ENQUEUE_SCRIPT, readStanding, type Standing, TAKE_NOTE_SCRIPT } from './enqueue-script.js';
import { PhaseQueueError, queueClosed, queueUnavailable } from './errors.js';
import { type PhaseJob, parsePhaseJob, phaseJobId } from './phase-job.js';
import {
  DEFAULT_PRIORITY,
  type EnqueueOptions,
  type PhaseConsumer,
  type PhaseHandler,
  type PhaseQueuePort,
  type QueueDepth,
  type QueueObserver,
  type QueueState,
} from './port.js';
import { connectRedis, type RedisClient, untilReady } from './redis-connect.js';
import { type ConsumerTiming, DEFAULT_TIMING, RedisPhaseConsumer } from './redis-phase-consumer.js';

export interface RedisPhaseQueueOptions {
  /** `redis://host:port`, `rediss://...` (TLS), `redis+cluster://host:port,host:port`. */
  url: string;
  /** Separates queues that share one Redis; default `phases`. */
  name?: string;
  observe?: QueueObserver;
  timing?: Partial<ConsumerTiming>;
}

/** The braces make every key of the queue hash to one slot of a Redis Cluster. */
const PREFIX = '{sidestep}';
const BATCH = 100;
/** Small, so that workers begin with the first jobs of a rollout while the others are still being added. */
const FIRST_BATCH = 8;
const CONNECT_WAIT_MS = 1_000;
/** Nobody reads BullMQ's event stream, so it is kept short. */
const EVENT_STREAM_LENGTH = 100;
/** Tries are bounded by the back-off rule, not by a number: a phase that cannot go on yet must not be forgotten. */
const UNBOUNDED_ATTEMPTS = 1_000_000_000;

/** Who asks: somebody now, or the note that somebody left while the job ran. */
type Origin = 'caller' | 'note';

/** The queue on Redis, Valkey or a Redis Cluster, by BullMQ. */
export class RedisPhaseQueue implements PhaseQueuePort {
  private readonly name: string;
  private readonly url: string;
  private readonly observe: QueueObserver;
  private readonly timing: ConsumerTiming;
  private readonly client: RedisClient;
  private readonly consumers = new Set<RedisPhaseConsumer>();
  private opening: Promise<Queue> | undefined;
  private wasReady = false;
  private closed = false;

  /** Starts to connect; throws `QUEUE_URL_INVALID` for an address that cannot be read. */
  constructor(options: RedisPhaseQueueOptions) {
    this.url = options.url;
    this.name = options.name ?? 'phases';
    this.observe = options.observe ?? (() => undefined);
    this.timing = { ...DEFAULT_TIMING, ...options.timing };
    this.client = connectRedis(options.url, 'producer');
    this.client.on('error', (error) => this.observe({ kind: 'connection-error', error }));
    this.client.once('ready', () => void this.checkEvictionPolicy());
  }

  async enqueue(jobs: readonly PhaseJob[], options: EnqueueOptions = {}): Promise<void> {
    await this.add(jobs, options, 'caller');
  }

  private async add(jobs: readonly PhaseJob[], options: EnqueueOptions, origin: Origin): Promise<void> {
    const byId = new Map(jobs.map((job) => [phaseJobId(job), job]));
    for (const id of [...byId.keys()]) {
      if (parsePhaseJob(byId.get(id)) !== undefined) continue;
      byId.delete(id);
      this.observe({ kind: 'job-malformed', id });
    }
    const ids = [...byId.keys()];
    await this.reach(async (queue) => {
      for (let from = 0, to = FIRST_BATCH; from < ids.length; from = to, to += BATCH) {
        await this.enqueueBatch(queue, byId, ids.slice(from, to), options, origin);
      }
    });
  }

  async consume(handler: PhaseHandler, options: { concurrency: number }): Promise<PhaseConsumer> {
    if (this.closed) throw queueClosed();
    const consumer = new RedisPhaseConsumer({
      queue: this,
      name: this.name,
      prefix: PREFIX,
      client: connectRedis(this.url, 'consumer'),
      handler,
      observe: this.observe,
      concurrency: options.concurrency,
      timing: this.timing,
      onClosed: () => this.consumers.delete(consumer),
    });
    this.consumers.add(consumer);
    return consumer;
  }

  async depth(): Promise<QueueDepth> {
    return this.reach(async (queue) => {
      const counts = await queue.getJobCounts('wait', 'prioritized', 'active', 'delayed');
      const { wait = 0, prioritized = 0, active = 0, delayed = 0 } = counts;
      return { waiting: wait + prioritized, active, delayed };
    });
  }

  async ping(): Promise<QueueState> {
    return this.reach(async () => {
      const key = this.key('generation');
      const known = await this.client.get(key);
      if (known !== null) return { generation: known };
      await this.client.set(key, randomUUID(), 'NX');
      return { generation: (await this.client.get(key)) ?? '' };
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.consumers].map((consumer) => consumer.close()));
    // First the connection: without Redis the Queue would wait for it for ever.
    this.client.disconnect();
    void this.opening?.then((queue) => queue.close()).catch(() => undefined);
  }

  /** Runs a job again that was asked for while it ran, as it was asked for then. */
  async settle(job: PhaseJob): Promise<void> {
    const note = await this.client.eval(TAKE_NOTE_SCRIPT, 1, this.key(`${phaseJobId(job)}:again`));
    const [options, data] = note as [string | null, string | null];
    if (options === null || data === null) return;
    await this.add([JSON.parse(data) as PhaseJob], JSON.parse(options) as EnqueueOptions, 'note');
  }

  private key(suffix: string): string {
    return `${PREFIX}:${this.name}:${suffix}`;
  }

  private async enqueueBatch(
    queue: Queue,
    byId: Map<string, PhaseJob>,
    ids: string[],
    options: EnqueueOptions,
    origin: Origin,
  ): Promise<void> {
    const delay = options.delayMs ?? 0;
    const priority = options.priority ?? DEFAULT_PRIORITY;
    const note = JSON.stringify({ delayMs: delay, priority });
    const pairsOf = (some: string[]): string[] => some.flatMap((id) => [id, JSON.stringify(byId.get(id))]);
    const args = [this.key(''), note, origin, ...pairsOf(ids)];
    const answers = await this.client.eval(ENQUEUE_SCRIPT, 1, this.key('delayed'), ...args);
    const standings = (answers as unknown[]).map(readStanding);
    const added = ids.filter((_, index) => standings[index]?.kind === 'new');
    await queue.addBulk(
      added.map((id) => ({ name: 'phase', data: byId.get(id), opts: { ...JOB_OPTIONS, jobId: id, delay, priority } })),
    );
    await Promise.all(ids.map((id, index) => bringForward(queue, id, standings[index], delay)));
    // Only what is due at once: a worker and the planner ask for the same job at the same time, the worker with a delay.
    if (delay === 0 && added.length > 0) await this.overtake(queue, added, pairsOf(added));
  }

  private async overtake(queue: Queue, ids: string[], pairs: string[]): Promise<void> {
    const answers = await this.client.eval(DELAYED_SCRIPT, 1, this.key('delayed'), this.key(''), ...pairs);
    const standings = (answers as unknown[]).map(readStanding);
    await Promise.all(ids.map((id, index) => bringForward(queue, id, standings[index], 0)));
  }

  /** One place where every way of not reaching Redis becomes `QUEUE_UNAVAILABLE`. */
  private async reach<T>(use: (queue: Queue) => Promise<T>): Promise<T> {
    if (this.closed) throw queueClosed();
    if (!(await untilReady(this.client, this.wasReady ? 0 : CONNECT_WAIT_MS))) {
      throw queueUnavailable(`no connection (${this.client.status})`);
    }
    this.wasReady = true;
    try {
      return await use(await this.open());
    } catch (error) {
      throw error instanceof PhaseQueueError ? error : queueUnavailable(error);
    }
  }

  /** BullMQ never gets over a first command that fails, so such a Queue is thrown away and opened again. */
  private open(): Promise<Queue> {
    this.opening ??= this.createQueue().catch((error: unknown) => {
      this.opening = undefined;
      throw error;
    });
    return this.opening;
  }

  private async createQueue(): Promise<Queue> {
    const queue = new Queue(this.name, {
      connection: this.client,
      prefix: PREFIX,
      streams: { events: { maxLen: EVENT_STREAM_LENGTH } },
    });
    queue.on('error', (error) => this.observe({ kind: 'connection-error', error }));
    await queue.waitUntilReady();
    return queue;
  }

  private async checkEvictionPolicy(): Promise<void> {
    const memory = await this.client.info('memory').catch(() => '');
    const policy = /maxmemory_policy:(\S+)/.exec(memory)?.[1] ?? 'noeviction';
    if (policy === 'noeviction') return;
    this.observe({
      kind: 'warning',
      message: `Redis evicts keys when it is full (maxmemory-policy ${policy}); set it to noeviction, or jobs are lost until the planner finds them again`,
    });
  }
}

const JOB_OPTIONS = {
  attempts: UNBOUNDED_ATTEMPTS,
  backoff: { type: 'by-error' },
  removeOnComplete: true,
  removeOnFail: true,
  stackTraceLimit: 1,
};

const bringForward = async (
  queue: Queue,
  id: string,
  standing: Standing | undefined,
  delayMs: number,
): Promise<void> => {
  if (standing?.kind !== 'delayed' || standing.dueAt <= Date.now() + delayMs) return;
  const job = new Job(queue, 'phase', {}, { jobId: id }, id);
  // A job that left the delayed set in between needs no bringing forward.
  await (delayMs > 0 ? job.changeDelay(delayMs) : job.promote()).catch((error: unknown) => {
    if (!/not in the delayed state|Missing (key|job)/i.test(String(error))) throw error;
  });
};
