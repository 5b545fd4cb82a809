import { EventEmitter } from 'node:events';
import type { AgentConfig } from '../config.js';
import { keep } from '../custodian/keep.js';
import { AgentError } from '../errors.js';
import type { ListenerPlan } from '../native/listener.js';
import { statusPath } from '../status/path.js';
import { StatusServer } from '../status/server.js';
import type { AgentStatus, HandoverStatus } from '../status/snapshot.js';
import { type Acquired, acquire } from './acquire.js';
import { Agent } from './agent.js';
import type { AgentSettings } from './agent-settings.js';
import type { TakerSession } from './taker-session.js';
import { handoverStatus } from './timing.js';
import type { DrainCounts, Workload } from './workload.js';

const NOTHING_DRAINED: DrainCounts = { migrated: 0, drained: 0, killed: 0 };

export interface ParticipantEvents {
  role: [status: AgentStatus];
  counters: [delta: Record<string, number>];
  retire: [];
  resume: [cause: string];
}

/** What became of the connections of a process that is done. */
export interface Ending extends DrainCounts {
  reason: string;
}

/** One process from its start to its end: wait for its turn, get the listeners, serve, hand over, drain, end. */
export class Participant extends EventEmitter<ParticipantEvents> {
  readonly agent: Agent;
  readonly done: Promise<Ending>;
  readonly #status: StatusServer;
  readonly #hint: AgentConfig['hint'];
  readonly #plans: ListenerPlan[];
  readonly #stopped = new AbortController();
  #finish!: (ending: Ending) => void;
  #acquired: Acquired = { session: undefined, imported: undefined };
  #settled: { resolve(): void; reject(error: AgentError): void } | undefined;
  #failure: AgentError | undefined;

  constructor(settings: AgentSettings, hint: AgentConfig['hint'], plans: ListenerPlan[], workload: Workload) {
    super();
    this.#hint = hint;
    this.#plans = plans;
    this.agent = new Agent(settings, workload);
    this.#status = new StatusServer(statusPath(this.agent.directory.path, settings.slot), this.agent.board);
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.agent.on('finished', (reason, counts) => void this.#onFinished(reason, counts));
    this.agent.on('retire', () => this.#tell('retire'));
    this.agent.on('resume', (cause) => this.#tell('resume', cause));
    this.agent.on('counters', (delta) => this.#tell('counters', delta));
    this.agent.board.onChange((status) => this.#tell('role', status));
  }

  /** The program hears of it in the middle of a hand-over, which must not end halfway because a handler throws. */
  #tell<E extends keyof ParticipantEvents>(event: E, ...details: ParticipantEvents[E]): void {
    for (const handler of this.listeners(event)) {
      try {
        (handler as (...args: ParticipantEvents[E]) => void).apply(this, details);
      } catch (error) {
        this.agent.settings.log('handler-failed', { handler: event, error: String(error) });
      }
    }
  }

  /** What came with the listeners, or nothing after a cold start. */
  get acquired(): Acquired {
    return this.#acquired;
  }

  /** Resolves when the listeners are here. @throws AgentError `STOPPED` when SIGTERM came first, and what `acquire` throws. */
  async start(): Promise<void> {
    await this.#status.start();
    try {
      await this.#standBy();
      this.#acquired = await acquire(this.agent, this.#plans, {
        attach: async () => this.agent.workload.attach(),
        detach: () => this.agent.workload.detach(),
        settled: (session) => this.#committed(session),
        failed: (error) => this.fail(error),
      });
    } catch (error) {
      this.fail(asAgentError(error));
      throw error;
    }
    if (this.#acquired.session) this.agent.board.generation = this.#acquired.session.generation + 1;
  }

  /**
   * The program is initialised; resolves when this process owns the listeners.
   *
   * @param last what can only be done once the old one has stopped; its failure gives the listeners back
   */
  async ready(last?: () => Promise<void>): Promise<void> {
    if (this.#failure) throw this.#failure;
    const { session } = this.#acquired;
    if (session) await this.#agree(session);
    else await this.agent.workload.attach();
    if (last) {
      await last().catch((error: unknown) => this.fail(asAgentError(error)));
      if (this.#failure) throw this.#failure;
    }
    this.#own(session ? (session.orphaned ? 'promoted' : 'takeover') : 'cold', session);
  }

  async #agree(session: TakerSession): Promise<void> {
    const { imported } = this.#acquired;
    this.agent.workload.useTicketKeys(imported?.ticketKeys ?? {});
    if (imported && Object.keys(imported.counters).length > 0) this.#tell('counters', imported.counters);
    await new Promise<void>((resolve, reject) => {
      this.#settled = { resolve, reject };
      session.dispatch({ type: 'program-ready' });
    });
  }

  /** Finish what is under way, drain, end. The time can be shortened by calling again. */
  stop(withinMs: number): Promise<Ending> {
    this.#stopped.abort();
    const { role, reason } = this.agent.board;
    // Whoever only keeps sockets waits in keep(), which has seen the signal.
    if (role === 'starting') this.fail(new AgentError('STOPPED', 'asked to end', { hint: 'Nothing was taken over.' }));
    else if (role !== 'idle' && reason !== 'parked') this.agent.stop(withinMs);
    return this.done;
  }

  /** The program cannot go on: whoever served before goes on serving, this process ends. */
  fail(error: AgentError): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#acquired.session?.dispatch({ type: 'program-failed', message: error.message });
    this.#settled?.reject(error);
    if (error.code === 'STOPPED') {
      this.#end({ reason: 'stopped', ...NOTHING_DRAINED });
      return;
    }
    this.agent.board.set('aborted', error.code, error.message);
    this.agent.settings.log('aborted', { code: error.code, message: error.message, hint: error.hint });
    this.#close();
  }

  /** Not this container's turn: keep duplicates while the other one serves; go on when nobody does. */
  async #standBy(): Promise<void> {
    if (!this.#hint || this.#hint.version >= this.#hint.alternative) return;
    const { standbyMs } = this.agent.settings.limits;
    await keep(this.agent, { standbyMs, stopped: this.#stopped.signal });
    if (this.#stopped.signal.aborted) {
      throw new AgentError('STOPPED', 'asked to end while idle', { hint: 'Exit with status 0.' });
    }
    // What was kept stays open: connections wait in it.
    this.agent.withdraw();
    this.agent.board.set('starting', 'no-owner', 'nobody serves, so this process does');
  }

  /** The commit: peers are answered from here on, whatever is still to be done before this process calls itself the owner. */
  #committed(session: TakerSession): void {
    this.agent.predecessor = session.orphaned ? undefined : session;
    this.agent.answer('owner');
    this.#settled?.resolve();
  }

  #own(how: HandoverStatus['how'], session: TakerSession | undefined): void {
    const handover = handoverStatus(how, session?.reached ?? {});
    this.agent.board.count(`takeover_total{result="taken",reason="${how}"}`);
    if (!session) this.agent.answer('owner');
    this.agent.own('owner', how, how === 'cold' ? 'bound its listeners itself' : 'took its listeners over', handover);
  }

  async #onFinished(reason: string, counts: DrainCounts): Promise<void> {
    const { afterDrain } = this.agent.settings;
    // In standby the same agent stood in for the owner: it goes on waiting in keep().
    if (this.agent.keepsOnly) return;
    this.agent.settings.log('finished', { reason, ...counts });
    if (afterDrain === 'park' && reason === 'drained' && !this.#stopped.signal.aborted) {
      this.agent.board.set('done', 'parked', 'drained; keeps duplicates of the listeners until SIGTERM');
      await keep(this.agent, { stopped: this.#stopped.signal });
    }
    this.#end({ reason, ...counts });
  }

  #end(ending: Ending): void {
    this.agent.board.set('done', ending.reason, 'no listener, no connection and no duty left');
    this.#close();
    this.#finish(ending);
  }

  #close(): void {
    this.agent.release();
    this.#status.close();
  }
}

function asAgentError(error: unknown): AgentError {
  if (error instanceof AgentError) return error;
  return new AgentError('ABORTED', error instanceof Error ? error.message : String(error), {
    hint: 'Whoever served before still does.',
    cause: error,
  });
}
