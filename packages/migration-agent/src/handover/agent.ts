import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { addon, closeAll } from '../native/addon.js';
import { addressText, type OwnedListener } from '../native/listener.js';
import { StatusBoard } from '../status/board.js';
import type { HandoverStatus, ListenerStatus } from '../status/snapshot.js';
import type { AgentSettings } from './agent-settings.js';
import { CounterFeed, collectState } from './collect-state.js';
import { Drain } from './drain.js';
import { Endpoint } from './endpoint.js';
import { type GiverHost, GiverSession } from './giver-session.js';
import type { GiverContext } from './giver-state.js';
import { offerFrames } from './offer.js';
import { PrivateDirectory } from './private-directory.js';
import type { TakerSession } from './taker-session.js';
import type { TimeLimits } from './time-limits.js';
import type { DrainCounts, Workload } from './workload.js';

/** What this process can do with a peer; a feature is used when both sides name it. */
export const FEATURES = ['conns', 'stats'];

export interface AgentEvents {
  retire: [];
  resume: [cause: string];
  counters: [delta: Record<string, number>];
  /** All duties are over: handed over and drained, or stopped. */
  finished: [reason: string, counts: DrainCounts];
}

/**
 * One process that owns listeners: answers whoever asks for them, stops accepting when a successor serves, takes over again when that
 * one fails, and ends when its connections have.
 */
export class Agent extends EventEmitter<AgentEvents> implements GiverHost {
  readonly settings: AgentSettings;
  readonly directory: PrivateDirectory;
  readonly instance = randomBytes(16).toString('hex');
  readonly board: StatusBoard;
  readonly owned = new Map<string, OwnedListener>();
  readonly workload: Workload;
  readonly counterFeed: CounterFeed;
  readonly #sessions = new Set<GiverSession>();
  readonly interrupt: NonNullable<GiverHost['interrupt']>;
  /** The conversation in which this process got its listeners, while the old one still drains. */
  predecessor: TakerSession | undefined;
  #successor: GiverSession | undefined;
  #endpoint: Endpoint | undefined;
  #drain: Drain | undefined;
  #role: 'owner' | 'idle' = 'owner';
  #stopping: { deadline: number } | undefined;

  constructor(settings: AgentSettings, workload: Workload) {
    super();
    this.settings = settings;
    this.workload = workload;
    this.directory = new PrivateDirectory(settings.directory);
    this.counterFeed = new CounterFeed(settings);
    this.interrupt = settings.interrupt ?? (() => undefined);
    this.board = new StatusBoard(
      { instance: this.instance, version: settings.version },
      { listeners: () => this.#listenerStatus(), openConnections: () => workload.openConnections() },
    );
  }

  get limits(): TimeLimits {
    return this.settings.limits;
  }

  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** This process stands in for an owner and serves nothing itself. */
  get keepsOnly(): boolean {
    return this.#role === 'idle';
  }

  /** A successor is being served or watched. */
  get succeeding(): boolean {
    return this.#successor !== undefined;
  }

  /** Takes the name: from here on peers ask this process. */
  answer(role: 'owner' | 'idle'): void {
    this.#role = role;
    // Closed afterwards: until then the new one has its name, so that nobody who asks meanwhile finds none.
    const former = this.#endpoint;
    this.#endpoint = new Endpoint(
      this.directory.takeoverPath,
      (fd) => this.#accepted(fd),
      () => this.#sessions.size,
    );
    former?.close();
  }

  /** Says where this process stands, in status and log. */
  own(role: 'owner' | 'idle', reason: string, message: string, handover?: HandoverStatus): void {
    if (handover) this.board.handedOver(handover);
    this.board.set(role, reason, message);
    this.settings.log(reason, { role, message, generation: this.board.generation, ...(handover ? { handover } : {}) });
  }

  /** Ends the part of this process: lets a hand-over that has begun finish, else stops accepting and drains. */
  stop(withinMs: number): void {
    const deadline = performance.now() + withinMs;
    const first = this.#stopping === undefined;
    this.#stopping = { deadline: Math.min(deadline, this.#stopping?.deadline ?? deadline) };
    this.#drain?.shorten(this.#stopping.deadline);
    this.#successor?.dispatch({ type: 'sigterm' });
    if (first && !this.#successor) void this.#stopAlone();
  }

  /** Stops answering peers, keeps the listeners. */
  withdraw(): void {
    this.#endpoint?.close();
    this.#endpoint = undefined;
    for (const session of [...this.#sessions]) session.dismiss(this.#stopping ? 'terminated' : 'released');
  }

  /** The program opened a socket by itself; from here on it is handed over and kept like the others. */
  hold(listener: OwnedListener): void {
    this.letGo(listener.record.name);
    this.owned.set(listener.record.name, listener);
  }

  /** A socket that the program does not use. Custodians are sent to ask again. */
  letGo(name: string): void {
    const listener = this.owned.get(name);
    if (listener) closeAll([listener.fd]);
    this.owned.delete(name);
    for (const session of [...this.#sessions]) if (session.state.phase === 'keeping') session.dismiss('changed');
  }

  /** Closes everything this process holds, without a word to anybody. */
  release(): void {
    this.withdraw();
    this.predecessor?.close();
    this.predecessor = undefined;
    closeAll([...this.owned.values()].map(({ fd }) => fd));
    this.owned.clear();
  }

  #accepted(fd: number): void {
    const session: GiverSession = new GiverSession(fd, this, randomBytes(32).toString('hex'));
    if (session.state.phase !== 'closed') this.#sessions.add(session);
  }

  // What follows is asked for by the conversations (GiverHost).

  context(session: GiverSession): Omit<GiverContext, 'nonce' | 'offerFrames'> {
    const { limits, version, versions, peerUids } = this.settings;
    return {
      limits,
      instance: this.instance,
      appVersion: version,
      generation: this.board.generation,
      versions,
      features: FEATURES,
      secret: this.directory.secret,
      allowedUids: [process.getuid?.() ?? 0, ...peerUids],
      refusal: this.#refusalFor(session),
      connections: this.workload.openConnections(),
    };
  }

  #refusalFor(session: GiverSession): GiverContext['refusal'] {
    // A custodian may ask at any time, but must end up with the process that serves from now on.
    if (session.state.role === 'custodian' && !this.#successor?.committed && !this.#stopping) return undefined;
    if (this.#successor !== undefined && this.#successor !== session) {
      return { reason: 'busy', message: 'another process is taking over', retryAfterMs: 100 };
    }
    if (this.#stopping) return { reason: 'terminating', message: 'the holder is ending', retryAfterMs: 100 };
    return undefined;
  }

  offer(wants: readonly string[]): OwnedListener[][] {
    const all = [...this.owned.values()];
    return offerFrames(wants.length === 0 ? all : all.filter(({ record }) => wants.includes(record.name)));
  }

  collectState(): ReturnType<GiverHost['collectState']> {
    return collectState(this.settings, this.workload.ticketKeys(), this.counterFeed.absolute());
  }

  claimed(session: GiverSession): void {
    this.#successor = session;
    this.settings.log('asked-for-listeners', { peer: session.state.peer });
  }

  stopAccepting(): void {
    // The second time in one hand-over: a successor that was silent has spoken again.
    if (this.#drain) this.settings.log('not-needed-any-more', {});
    this.workload.detach();
  }

  startDrain(session: GiverSession): void {
    if (this.#drain) {
      this.#drain.cancel();
      this.#drain = new Drain(this, session, this.#stopping?.deadline);
      return;
    }
    this.board.set('draining', 'succeeded', 'a successor serves; this process ends its connections');
    this.settings.log('succeeded', { peer: session.state.peer, connections: this.workload.openConnections() });
    this.predecessor?.dispatch({ type: 'succeeded' });
    for (const other of [...this.#sessions]) if (other.state.phase === 'keeping') other.dismiss('succeeded');
    this.emit('retire');
    this.#drain = new Drain(this, session, this.#stopping?.deadline);
  }

  acceptAgain(cause: string): void {
    this.settings.log('accepting-again', { cause });
    this.#attachAgain();
  }

  ownAgain(_session: GiverSession, cause: string): void {
    this.#drain?.cancel();
    this.#drain = undefined;
    this.#successor = undefined;
    this.#attachAgain();
    this.answer(this.#role);
    this.own(this.#role, 'resumed', `the successor failed (${cause}); this process serves again`);
    this.emit('resume', cause);
    if (this.#stopping) void this.#stopAlone();
  }

  ended(_session: GiverSession, reason: string): void {
    this.#drain?.cancel();
    this.#drain = undefined;
    this.#endpoint?.close();
    this.#endpoint = undefined;
    this.#successor = undefined;
    this.emit('finished', reason, { ...this.board.connections });
  }

  closed(session: GiverSession, reason: string): void {
    this.#sessions.delete(session);
    if (this.#successor !== session) return;
    this.#successor = undefined;
    // A reason of ours may quote the peer behind its colon, which must not make a metric of its own each time.
    this.board.count(`takeover_total{result="not-given",reason="${reason.split(':', 1)[0]}"}`);
    this.board.set(this.#role, 'kept', `a hand-over did not happen (${reason})`);
    this.settings.log('keeps-serving', { reason });
    this.workload.kept?.();
    if (this.#stopping) void this.#stopAlone();
  }

  count(metric: string, by = 1): void {
    this.board.count(metric, by);
  }

  /** SIGTERM with nobody to hand over to. */
  async #stopAlone(): Promise<void> {
    this.board.set('draining', 'terminating', 'asked to end; connections are finished first');
    this.#endpoint?.close();
    this.#endpoint = undefined;
    // What already waits in the accept queue is taken first: closing the last descriptor would reset it.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    this.workload.detach('terminating');
    this.emit('retire');
    const drain = new Drain(this, undefined, this.#stopping?.deadline);
    this.#drain = drain;
    // A custodian goes on answering newcomers while the connections here end.
    for (const session of [...this.#sessions]) session.dismiss('terminated');
    closeAll([...this.owned.values()].map(({ fd }) => fd));
    this.owned.clear();
    this.emit('finished', 'terminated', await drain.done);
  }

  #attachAgain(): void {
    Promise.resolve(this.workload.attach()).catch((error: unknown) => {
      this.settings.log('cannot-accept-again', { error: String(error) });
    });
  }

  #listenerStatus(): ListenerStatus[] {
    return [...this.owned.values()].map(({ fd, record }) => {
      const queue = record.kind === 'tcp' ? addon().acceptQueue(fd) : -1;
      const base = { name: record.name, kind: record.kind, address: addressText(record) };
      return typeof queue === 'number' ? base : { ...base, acceptQueue: { pending: queue[0], limit: queue[1] } };
    });
  }
}
