import { readConfig } from '../config.js';
import { ServedServers } from '../drain/served-servers.js';
import { AgentError } from '../errors.js';
import { type Ending, Participant } from '../handover/participant.js';
import { addon, orThrow } from '../native/addon.js';
import type { OwnedListener } from '../native/listener.js';
import type { AgentStatus } from '../status/snapshot.js';
import type {
  ListenerAddress,
  ServableServer,
  ServeOptions,
  Takeover,
  TakeoverEvents,
  TakeoverOptions,
} from './api.js';
import { planListeners } from './listener-spec.js';
import { type Internals, settingsFrom } from './settings.js';

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
  const taking = new NodeTakeover(options, internals);
  await taking.start();
  return taking;
}

class NodeTakeover implements Takeover {
  readonly #workload: ServedServers;
  readonly #participant: Participant;
  readonly #handleSigterm: boolean;
  readonly done: Promise<Ending>;

  constructor(options: TakeoverOptions, internals: Internals) {
    const config = internals.config ?? readConfig();
    const plans = planListeners(options.listeners);
    this.#handleSigterm = options.handleSigterm !== false;
    this.#workload = new ServedServers(
      (name) => this.#participant.agent.owned.get(name),
      (event, fields) => this.#participant.agent.settings.log(event, fields),
    );
    this.#participant = new Participant(settingsFrom(options, config, internals), config.hint, plans, this.#workload);
    this.done = this.#participant.done.finally(() => process.off('SIGTERM', this.#onSigterm));
  }

  get state(): Uint8Array | undefined {
    return this.#participant.acquired.imported?.appState;
  }

  get inherited(): boolean {
    return this.#participant.acquired.session !== undefined;
  }

  async start(): Promise<void> {
    if (this.#handleSigterm) process.on('SIGTERM', this.#onSigterm);
    await this.#participant.start();
  }

  serve(name: string, server: ServableServer, options: ServeOptions = {}): this {
    this.#listener(name);
    this.#workload.add(name, server, options, this.#participant.agent.limits.idleCloseSpreadMs);
    return this;
  }

  fd(name: string): number {
    return orThrow('dup', addon().dup(this.#listener(name).fd));
  }

  address(name: string): ListenerAddress {
    const { kind, host, port, path } = this.#listener(name).record;
    return kind === 'unix' ? { kind, path: path ?? '' } : { kind, host: host ?? '', port: port ?? 0 };
  }

  ready(): Promise<void> {
    return this.#participant.ready();
  }

  stop(withinMs = this.#participant.agent.limits.drainMs): Promise<Ending> {
    return this.#participant.stop(withinMs);
  }

  status(): AgentStatus {
    return this.#participant.agent.board.snapshot();
  }

  on<E extends keyof TakeoverEvents>(event: E, listener: (...args: TakeoverEvents[E]) => void): this {
    this.#participant.on(event, listener as never);
    return this;
  }

  off<E extends keyof TakeoverEvents>(event: E, listener: (...args: TakeoverEvents[E]) => void): this {
    this.#participant.off(event, listener as never);
    return this;
  }

  readonly #onSigterm = (): void => void this.stop();

  #listener(name: string): OwnedListener {
    const listener = this.#participant.agent.owned.get(name);
    if (listener) return listener;
    throw new AgentError('NO_SUCH_LISTENER', `no listener is named "${name}"`, {
      hint: 'Name it in options.listeners.',
    });
  }
}
