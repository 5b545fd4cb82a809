import { EventEmitter } from 'node:events';
import { readConfig } from '../config.js';
import { keep } from '../custodian/keep.js';
import { ServedServers } from '../drain/served-servers.js';
import { AgentError } from '../errors.js';
import { type Acquired, acquire } from '../handover/acquire.js';
import { Agent } from '../handover/agent.js';
import type { TakerSession } from '../handover/taker-session.js';
import type { DrainCounts } from '../handover/workload.js';
import { addon, orThrow } from '../native/addon.js';
import { statusPath } from '../status/path.js';
import { StatusServer } from '../status/server.js';
import type { AgentStatus, HandoverStatus } from '../status/snapshot.js';
import type {
  Farewell,
  ListenerStatusAddress,
  ServableServer,
  ServeOptions,
  Takeover,
  TakeoverEvents,
  TakeoverOptions,
} from './api.js';
import { planListener } from './listener-spec.js';
import { type Internals, settingsFrom } from './settings.js';
import { handoverStatus } from './timing.js';

/**
 * Takes the named listeners over from a running predecessor, fetches them back from the custodian, or binds them.
 *
 * ```ts
 * const agent = await takeover({ listeners: { web: 8080 } });
 * agent.serve('web', http.createServer(handler));
 * await agent.ready(); // the predecessor has stopped accepting, this process owns the port
 * await agent.done; // a successor took over and the last connection has ended
 * ```
 *
 * In a hot pair a process whose turn it is not (`SIDECARSET_VERSION` below `SIDECARSET_VERSION_ALT`) keeps duplicates of the
 * listeners and does not return until it has to serve after all (`STOPPED` when SIGTERM comes first).
 *
 * @throws AgentError `ABORTED`, `HOLDER_SILENT`, `ADDRESS_IN_USE`, `BAD_ADDRESS`, `UNSAFE_DIRECTORY`, `NOT_LINUX`, `ADDON_MISSING`.
 */
export function takeover(options: TakeoverOptions): Promise<Takeover> {
  return takeoverWith(options, {});
}

/** `takeover` with what only tests and benchmarks may change. */
export async function takeoverWith(options: TakeoverOptions, internals: Internals): Promise<Takeover> {
  const process = new TakeoverProcess(options, internals);
  await process.start();
  return process;
}

class TakeoverProcess implements Takeover {
  readonly #options: TakeoverOptions;
  readonly #internals: Internals;
  readonly #workload: ServedServers;
  readonly #agent: Agent;
  readonly #status: StatusServer;
  readonly #events = new EventEmitter();
  readonly #stopped = new AbortController();
  readonly done: Promise<Farewell>;
  #finish!: (farewell: Farewell) => void;
  #acquired: Acquired = { session: undefined, imported: undefined };
  #settled: { resolve(): void; reject(error: AgentError): void } | undefined;
  #failure: AgentError | undefined;

  constructor(options: TakeoverOptions, internals: Internals) {
    this.#options = options;
    this.#internals = internals;
    const config = internals.config ?? readConfig();
    const settings = settingsFrom(options, config, internals);
    const late: { agent?: Agent } = {};
    this.#workload = new ServedServers({ get: (name) => late.agent?.owned.get(name) });
    this.#agent = new Agent(settings, this.#workload);
    late.agent = this.#agent;
    this.#status = new StatusServer(statusPath(this.#agent.directory.path, settings.slot), this.#agent.board);
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#agent.on('finished', (reason, counts) => void this.#onFinished(reason, counts));
    this.#agent.on('retire', () => this.#events.emit('retire'));
    this.#agent.on('resume', (cause) => this.#events.emit('resume', cause));
    this.#agent.on('counters', (delta) => this.#events.emit('counters', delta));
    this.#agent.board.onChange((status) => this.#events.emit('role', status));
  }

  get state(): Uint8Array | undefined {
    return this.#acquired.imported?.appState;
  }

  get inherited(): boolean {
    return this.#acquired.session !== undefined;
  }

  async start(): Promise<void> {
    if (this.#options.handleSigterm !== false) process.on('SIGTERM', this.#onSigterm);
    await this.#status.start();
    try {
      await this.#standBy();
      const plans = Object.entries(this.#options.listeners).map(([name, spec]) => planListener(name, spec));
      this.#acquired = await acquire(this.#agent, plans, {
        attach: () => this.#workload.attach(),
        detach: () => this.#workload.detach(),
        settled: (how, session) => this.#own(how, session),
        failed: (error) => this.#fail(error),
      });
    } catch (error) {
      this.#fail(
        error instanceof AgentError ? error : new AgentError('ABORTED', String(error), { hint: '', cause: error }),
      );
      throw error;
    }
    if (this.#acquired.session) this.#agent.board.generation = this.#acquired.session.generation + 1;
  }

  serve(name: string, server: ServableServer, options: ServeOptions = {}): this {
    this.#workload.add(name, server, options, this.#agent.settings.limits.idleCloseSpreadMs);
    return this;
  }

  fd(name: string): number {
    return orThrow('dup', addon().dup(this.#listener(name).fd));
  }

  address(name: string): ListenerStatusAddress {
    const { kind, host, port, path } = this.#listener(name).record;
    return kind === 'unix' ? { kind, path: path ?? '' } : { kind, host: host ?? '', port: port ?? 0 };
  }

  async ready(): Promise<void> {
    if (this.#failure) throw this.#failure;
    const { session, imported } = this.#acquired;
    if (!session) return this.#coldStart();
    this.#workload.useTicketKeys(imported?.ticketKeys ?? {});
    if (imported && Object.keys(imported.counters).length > 0) this.#events.emit('counters', imported.counters);
    await new Promise<void>((resolve, reject) => {
      this.#settled = { resolve, reject };
      session.dispatch({ type: 'program-ready' });
    });
  }

  stop(withinMs = this.#agent.settings.limits.drainMs): Promise<Farewell> {
    this.#stopped.abort();
    // Idle: whoever waits in keep() sees the signal and ends by itself.
    if (this.#agent.board.role === 'idle' || this.#agent.board.reason === 'parked') return this.done;
    this.#agent.stop(withinMs);
    return this.done;
  }

  status(): AgentStatus {
    return this.#agent.board.snapshot();
  }

  on<E extends keyof TakeoverEvents>(event: E, listener: (...args: TakeoverEvents[E]) => void): this {
    this.#events.on(event, listener as (...args: unknown[]) => void);
    return this;
  }

  off<E extends keyof TakeoverEvents>(event: E, listener: (...args: TakeoverEvents[E]) => void): this {
    this.#events.off(event, listener as (...args: unknown[]) => void);
    return this;
  }

  readonly #onSigterm = (): void => void this.stop();

  /** Not this container's turn: keep duplicates while the other one serves; go on when nobody does. */
  async #standBy(): Promise<void> {
    const hint = (this.#internals.config ?? readConfig()).hint;
    if (!hint || hint.version >= hint.alternative) return;
    const { standbyMs } = this.#agent.settings.limits;
    await keep(this.#agent, { standbyMs, stopped: this.#stopped.signal });
    if (this.#stopped.signal.aborted)
      throw new AgentError('STOPPED', 'asked to end while idle', { hint: 'Exit with status 0.' });
    // What was kept stays open: connections wait in it.
    this.#agent.withdraw();
    this.#agent.board.set('starting', 'no-owner', 'nobody serves, so this process does');
  }

  #listener(name: string) {
    const listener = this.#agent.owned.get(name);
    if (listener) return listener;
    throw new AgentError('NO_SUCH_LISTENER', `no listener is named "${name}"`, {
      hint: 'Name it in options.listeners.',
    });
  }

  async #coldStart(): Promise<void> {
    await this.#workload.attach();
    const committedAt = new Date().toISOString();
    this.#agent.own('owner', 'cold-start', 'bound its listeners itself', {
      how: 'cold',
      handoverMs: 0,
      phases: {},
      committedAt,
    });
  }

  #own(how: HandoverStatus['how'], session: TakerSession): void {
    this.#agent.predecessor = how === 'takeover' ? session : undefined;
    const handover = handoverStatus(how, session.reached);
    this.#agent.own('owner', how, `serves since ${handover.committedAt}`, handover);
    this.#settled?.resolve();
  }

  #fail(error: AgentError): void {
    if (this.#failure) return;
    this.#failure = error;
    if (error.code === 'STOPPED') {
      this.#end('stopped', { migrated: 0, drained: 0, killed: 0 });
      return;
    }
    this.#agent.board.set('aborted', error.code, error.message);
    this.#agent.settings.log('aborted', { code: error.code, message: error.message, hint: error.hint });
    this.#settled?.reject(error);
    this.#close();
  }

  async #onFinished(reason: string, counts: DrainCounts): Promise<void> {
    const { afterDrain } = this.#agent.settings;
    this.#agent.settings.log('finished', { reason, ...counts });
    if (afterDrain === 'park' && reason === 'drained' && !this.#stopped.signal.aborted) {
      this.#agent.board.set('done', 'parked', 'drained; keeps duplicates of the listeners until SIGTERM');
      await keep(this.#agent, { stopped: this.#stopped.signal });
    }
    this.#end(reason, counts);
  }

  #end(reason: string, counts: DrainCounts): void {
    this.#agent.board.set('done', reason, 'no listener, no connection and no duty left');
    this.#close();
    this.#finish({ reason, ...counts });
  }

  #close(): void {
    this.#agent.release();
    this.#status.close();
    process.off('SIGTERM', this.#onSigterm);
  }
}
