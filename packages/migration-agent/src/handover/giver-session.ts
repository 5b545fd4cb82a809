import { closeAll } from '../native/addon.js';
import { Channel } from '../native/channel.js';
import type { OwnedListener } from '../native/listener.js';
import { badFrame, type ConnectionRecord, type Message } from '../protocol/messages.js';
import { Conversation, type Incoming, type Interrupt } from './conversation.js';
import { giverDeadline, reduceGiver } from './giver.js';
import { type GiverAction, type GiverContext, type GiverEvent, type GiverState, newGiver } from './giver-state.js';
import { monotonicMs, Reduction } from './reduction.js';
import type { TimeLimits } from './time-limits.js';

/** What the old side of one conversation asks of its process. */
export interface GiverHost {
  context(session: GiverSession): Omit<GiverContext, 'nonce' | 'offerFrames'>;
  /** The listeners of these names (all, if there are none), in frames. */
  offer(wants: readonly string[]): OwnedListener[][];
  /** App state, keys and counters; the descriptors are closed after sending. */
  collectState(): Promise<{ message: Message & { type: 'STATE' }; fds: number[] }>;
  limits: TimeLimits;
  claimed(session: GiverSession): void;
  stopAccepting(): void;
  startDrain(session: GiverSession): void;
  acceptAgain(cause: string): void;
  ownAgain(session: GiverSession, cause: string): void;
  ended(session: GiverSession, reason: string): void;
  closed(session: GiverSession, reason: string): void;
  count(metric: string, by?: number): void;
  interrupt?: Interrupt;
}

/** One peer that asks for the listeners, from connect to BYE. */
export class GiverSession {
  readonly #host: GiverHost;
  readonly #talk: Conversation;
  readonly #machine: Reduction<GiverState, GiverEvent, GiverAction>;
  #frames: OwnedListener[][] = [];
  /** Nothing is decided here any more. */
  #over = false;
  readonly #unanswered = new Map<number, { count: number; settle: (refused: number[]) => void }>();

  constructor(fd: number, host: GiverHost, nonce: string) {
    this.#host = host;
    this.#talk = new Conversation((events) => new Channel(fd, events), {
      incoming: (incoming) => this.#incoming(incoming),
      end: () => this.#end(),
      unreadable: ({ message }) => this.#unreadable(message),
      failed: ({ message }) => this.#refuse(message),
    });
    const context = (): GiverContext => ({ ...host.context(this), nonce, offerFrames: this.#frames.length });
    this.#machine = new Reduction<GiverState, GiverEvent, GiverAction>({
      initial: newGiver(monotonicMs(), host.limits),
      reduce: (state, event, now) => reduceGiver(state, event, now, context()),
      deadline: (state) => giverDeadline(state, host.limits),
      perform: (action) => this.#perform(action),
      tick: { type: 'tick' },
    });
    this.dispatch({ type: 'connected', uid: this.#talk.peerUid() });
  }

  get state(): GiverState {
    return this.#machine.state;
  }

  /** From here on the successor owns the listeners. */
  get committed(): boolean {
    return this.state.phase === 'guarding' || this.state.phase === 'draining';
  }

  dispatch(event: GiverEvent): void {
    this.#machine.dispatch(event);
  }

  /** @param done the kernel has it, or nobody will ever get it */
  send(message: Message, done?: () => void): void {
    this.#talk.send(message, [], done);
  }

  /** Says goodbye to a custodian, which then looks for the new owner. */
  dismiss(reason: string): void {
    this.send({ type: 'BYE', reason, migrated: 0, drained: 0, killed: 0 });
    this.#finish('dismissed');
  }

  /**
   * Offers connections; resolves with the indexes that stay here. No deadline: while the peer lives and has not answered it may still
   * take them, so nobody else may read them. Its end settles everything.
   */
  migrate(connections: ConnectionRecord[], fds: number[]): Promise<number[]> {
    if (this.#over || !this.#talk.open) return Promise.resolve(connections.map((_, index) => index));
    return new Promise((settle) => {
      const seq = this.#talk.send({ type: 'CONNS', connections }, fds);
      this.#unanswered.set(seq, { count: connections.length, settle });
    });
  }

  #incoming(incoming: Incoming): void {
    const { message } = incoming;
    this.#host.interrupt?.(`giver:got:${message.type}`);
    // The taker sends nothing that carries descriptors.
    closeAll(incoming.fds);
    if (message.type === 'HELLO') this.#frames = this.#host.offer(message.wants);
    if (message.type === 'ACK') {
      this.#unanswered.get(message.of)?.settle(message.refused);
      this.#unanswered.delete(message.of);
      this.#closeWhenAnswered();
    }
    this.dispatch({ type: 'message', message });
  }

  /** Who speaks is no less alive for it. After the commit it is the owner, and would stay so if it heard a refusal. */
  #unreadable(message: string): void {
    if (this.committed) this.dispatch({ type: 'unreadable' });
    else this.#refuse(message);
  }

  #refuse(message: string): void {
    this.#talk.send(badFrame(message));
    this.#talk.close();
    this.#end();
  }

  #end(): void {
    for (const { count, settle } of this.#unanswered.values())
      settle(Array.from({ length: count }, (_, index) => index));
    this.#unanswered.clear();
    this.dispatch({ type: 'eof' });
  }

  #finish(reason: string): void {
    this.#over = true;
    this.#machine.stop();
    this.#closeWhenAnswered();
    this.#host.closed(this, reason);
  }

  /** A successor that was given up as silent may still take what it was offered; only its end gives that back. */
  #closeWhenAnswered(): void {
    if (this.#over && this.#unanswered.size === 0) this.#talk.close();
    else if (this.#over) this.#talk.hold(false);
  }

  #perform(action: GiverAction): void {
    switch (action.do) {
      case 'send':
        this.#send(action.message);
        break;
      case 'claim':
        this.#host.claimed(this);
        break;
      case 'offer':
        this.#offer(action.frame);
        break;
      case 'state':
        void this.#sendState();
        break;
      case 'stop-accepting':
        this.#host.stopAccepting();
        break;
      case 'drain':
        this.#host.startDrain(this);
        break;
      case 'accept-again':
        this.#host.acceptAgain(action.cause);
        break;
      case 'own-again':
        this.#host.ownAgain(this, action.cause);
        break;
      case 'end':
        this.#host.ended(this, action.reason);
        break;
      case 'close':
        this.#finish(action.reason);
        break;
      case 'count':
        this.#host.count(action.metric);
        break;
    }
  }

  #send(message: Message): void {
    this.#host.interrupt?.(`giver:send:${message.type}`);
    this.#talk.send(message);
    if (message.type === 'CHALLENGE') this.#talk.version = message.version;
  }

  #offer(index: number): void {
    this.#host.interrupt?.('giver:send:OFFER');
    const listeners = this.#frames[index] ?? [];
    this.#host.count('takeover_fds{dir="out"}', listeners.length);
    const state = this.state.role === 'successor';
    this.#talk.send(
      { type: 'OFFER', index, total: this.#frames.length, state, listeners: listeners.map(({ record }) => record) },
      listeners.map(({ fd }) => fd),
    );
  }

  async #sendState(): Promise<void> {
    const { message, fds } = await this.#host.collectState();
    // The peer may have gone on without state by now, or be gone; then the frame is late or nobody reads it.
    const { phase } = this.state;
    if (phase === 'offering' || phase === 'preparing') this.#talk.send(message, fds, () => closeAll(fds));
    else closeAll(fds);
    this.#host.interrupt?.('giver:send:STATE');
  }
}
