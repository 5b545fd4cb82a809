import type { Agent } from './agent.js';
import type { GiverSession } from './giver-session.js';
import type { DrainCounts } from './workload.js';

const STATS_EVERY_MS = 1_000;
/** A successor that reads takes the last counters at once, however many frames they are. */
const LAST_STATS_MS = 1_000;

/** The end of this process's connections, after a successor took over or SIGTERM came. */
export class Drain {
  readonly #agent: Agent;
  readonly #cancel = new AbortController();
  readonly #stats: NodeJS.Timeout | undefined;
  #deadline: number;
  /** Until the kernel has the counters that were told last. */
  #telling: Promise<void> | undefined;
  /** Resolves with what became of all connections of this process so far. */
  readonly done: Promise<DrainCounts>;

  constructor(agent: Agent, successor: GiverSession | undefined, deadline: number | undefined) {
    this.#agent = agent;
    this.#deadline = deadline ?? performance.now() + agent.settings.limits.drainMs;
    if (successor && agent.counterFeed.active) this.#stats = this.#sendStats(successor);
    this.done = this.#run(successor);
  }

  /** SIGTERM during the drain: less time is left. */
  shorten(deadline: number): void {
    this.#deadline = Math.min(this.#deadline, deadline);
  }

  /** The successor failed: the connections stay. */
  cancel(): void {
    clearInterval(this.#stats);
    this.#cancel.abort();
  }

  async #run(successor: GiverSession | undefined): Promise<DrainCounts> {
    const canMigrate = successor?.state.peerFeatures.includes('conns') === true;
    const counts = await this.#agent.workload.drain({
      remainingMs: () => Math.max(0, this.#deadline - performance.now()),
      cancelled: this.#cancel.signal,
      ...(canMigrate ? { migrate: (records, fds) => successor.migrate(records, fds) } : {}),
    });
    const { connections } = this.#agent.board;
    connections.migrated += counts.migrated;
    connections.drained += counts.drained;
    connections.killed += counts.killed;
    if (this.#cancel.signal.aborted) return connections;
    clearInterval(this.#stats);
    if (successor && this.#agent.counterFeed.active) {
      await Promise.race([this.#tellCounters(successor, 0), pause(LAST_STATS_MS)]);
      if (this.#cancel.signal.aborted) return connections;
    }
    successor?.dispatch({ type: 'drained', ...connections });
    return connections;
  }

  #sendStats(successor: GiverSession): NodeJS.Timeout {
    return setInterval(() => {
      // One that does not read hears it later, in one sum.
      if (!this.#telling) void this.#tellCounters(successor, this.#agent.workload.openConnections());
    }, STATS_EVERY_MS);
  }

  /** Resolves when the kernel has it, or nobody will ever get it: what still waits here is lost when the conversation closes. */
  #tellCounters(successor: GiverSession, open: number): Promise<void> {
    const frames = this.#agent.counterFeed.increments();
    const told = Promise.all(
      frames.map((counters) => new Promise<void>((done) => successor.send({ type: 'STATS', counters, open }, done))),
    ).then(() => {
      if (this.#telling === told) this.#telling = undefined;
    });
    this.#telling = told;
    return told;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
