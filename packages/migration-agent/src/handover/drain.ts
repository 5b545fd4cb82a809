import type { Agent } from './agent.js';
import type { GiverSession } from './giver-session.js';
import type { DrainCounts } from './workload.js';

const STATS_EVERY_MS = 1_000;

/** The end of this process's connections, after a successor took over or SIGTERM came. */
export class Drain {
  readonly #agent: Agent;
  readonly #cancel = new AbortController();
  readonly #stats: NodeJS.Timeout | undefined;
  #deadline: number;
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
    if (this.#agent.counterFeed.active) {
      if (successor) this.#tellCounters(successor, 0);
    }
    successor?.dispatch({ type: 'drained', ...connections });
    return connections;
  }

  #sendStats(successor: GiverSession): NodeJS.Timeout {
    return setInterval(() => this.#tellCounters(successor, this.#agent.workload.openConnections()), STATS_EVERY_MS);
  }

  #tellCounters(successor: GiverSession, open: number): void {
    for (const counters of this.#agent.counterFeed.increments()) successor.send({ type: 'STATS', counters, open });
  }
}
