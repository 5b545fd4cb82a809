import { closeAll } from '../native/addon.js';
import { Channel } from '../native/channel.js';
import type { OwnedListener } from '../native/listener.js';
import type { ConnectionRecord, ListenerRecord } from '../protocol/messages.js';
import { readState } from './app-state.js';
import { Conversation, type Incoming, type Interrupt } from './conversation.js';
import { checkOffer } from './offer.js';
import { monotonicMs, Reduction } from './reduction.js';
import { reduceTaker } from './taker.js';
import { newTaker, type TakerAction, type TakerContext, type TakerEvent, type TakerState } from './taker-state.js';

/** What came from the old side before this program started to initialise. */
export interface Imported {
  listeners: OwnedListener[];
  ticketKeys: Record<string, string>;
  counters: Record<string, number>;
  appState: Uint8Array | undefined;
}

/** What the new side of one conversation asks of its process. */
export interface TakerHost {
  accepts(listener: OwnedListener): boolean;
  imported(imported: Imported): void;
  attach(): Promise<void>;
  detach(): void;
  own(): void;
  kept(imported: Imported): void;
  holderGone(reason: string): void;
  adopt(record: ConnectionRecord, fd: number): boolean;
  counters(delta: Record<string, number>): void;
  retry(reason: string, afterMs: number): void;
  fail(reason: string, message: string): void;
  closed(reason: string): void;
  interrupt?: Interrupt;
}

/** Asking one holder for its listeners, from connect until it has drained. */
export class TakerSession {
  readonly #host: TakerHost;
  readonly #talk: Conversation;
  readonly #machine: Reduction<TakerState, TakerEvent, TakerAction>;
  readonly #context: TakerContext;
  readonly imported: Imported = { listeners: [], ticketKeys: {}, counters: {}, appState: undefined };
  generation = 0;
  /** When each step was reached, in monotonic milliseconds. */
  readonly reached: Record<string, number> = {};
  #connections: { records: ConnectionRecord[]; fds: number[] } | undefined;

  /** @throws SystemCallError ENOENT or ECONNREFUSED when nobody holds the listeners. */
  constructor(path: string, context: TakerContext, host: TakerHost) {
    this.#host = host;
    this.#context = context;
    this.reached.connect = monotonicMs();
    this.#talk = new Conversation((events) => Channel.connect(path, events), {
      incoming: (incoming) => this.#incoming(incoming),
      end: () => this.dispatch({ type: 'eof' }),
      unreadable: ({ message }) => this.dispatch({ type: 'unreadable', message }),
      failed: ({ message }) => this.dispatch({ type: 'unreadable', message }),
    });
    this.#machine = new Reduction<TakerState, TakerEvent, TakerAction>({
      initial: newTaker(monotonicMs(), context.limits),
      reduce: (state, event, now) => reduceTaker(state, event, now, context),
      deadline: (state) => state.deadline,
      perform: (action) => this.#perform(action),
      tick: { type: 'tick' },
    });
    this.dispatch({ type: 'connected' });
  }

  get phase(): TakerState['phase'] {
    return this.#machine.state.phase;
  }

  /** The old side died after its sockets had come. */
  get orphaned(): boolean {
    return this.#machine.state.orphaned;
  }

  dispatch(event: TakerEvent): void {
    if (event.type === 'program-ready') this.reached.ready = monotonicMs();
    this.#machine.dispatch(event);
  }

  /** Closes the conversation without a word. */
  close(): void {
    this.#talk.close();
    this.#machine.stop();
  }

  #incoming({ message, seq, fds }: Incoming): void {
    this.#host.interrupt?.(`taker:got:${message.type}`);
    if (message.type === 'CHALLENGE') this.generation = message.generation;
    if (message.type === 'OFFER' && this.phase === 'importing') {
      this.#onOffer(message.listeners, seq, fds, message);
      return;
    }
    if (message.type === 'STATE' && this.phase === 'awaiting-state') this.#onState(message, fds);
    if (message.type === 'CONNS' && this.phase === 'owner') this.#connections = { records: message.connections, fds };
    else closeAll(fds);
    this.dispatch({ type: 'message', message, seq });
  }

  #onOffer(records: ListenerRecord[], seq: number, fds: number[], message: Incoming['message']): void {
    const checked = checkOffer(records, fds, (listener) => this.#host.accepts(listener));
    this.imported.listeners.push(...checked.adopted);
    this.#context.unwanted.push(...checked.unwanted);
    this.dispatch({ type: 'message', message, seq, faults: checked.faults });
  }

  #onState(
    state: { ticketKeys: Record<string, string>; counters: Record<string, number>; appBytes: number },
    fds: number[],
  ): void {
    this.imported.ticketKeys = state.ticketKeys;
    this.imported.counters = state.counters;
    if (fds.length === 1) this.imported.appState = readState(fds[0]!, state.appBytes);
  }

  #perform(action: TakerAction): void {
    const host = this.#host;
    switch (action.do) {
      case 'send':
        host.interrupt?.(`taker:send:${action.message.type}`);
        this.#talk.send(action.message);
        break;
      case 'imported':
        this.reached.imported = monotonicMs();
        host.imported(this.imported);
        break;
      case 'attach':
        this.#attach();
        break;
      case 'detach':
        host.detach();
        break;
      case 'own':
        this.reached.own = monotonicMs();
        host.own();
        break;
      case 'kept':
        host.kept(this.imported);
        break;
      case 'adopt-connections':
        this.#adopt(action.seq);
        break;
      case 'counters':
        host.counters(action.counters);
        break;
      default:
        this.#finish(action);
    }
  }

  #finish(action: TakerAction & { do: 'holder-gone' | 'retry' | 'fail' | 'close' }): void {
    this.close();
    switch (action.do) {
      case 'holder-gone':
        this.#host.holderGone(action.reason);
        break;
      case 'retry':
        closeAll(this.imported.listeners.map(({ fd }) => fd));
        this.#host.retry(action.reason, action.afterMs);
        break;
      case 'fail':
        this.#host.fail(action.reason, action.message);
        break;
      case 'close':
        this.#host.closed(action.reason);
        break;
    }
  }

  /** "Serving" is said only after the event loop has come round once with the listeners attached. */
  #attach(): void {
    this.reached.attach = monotonicMs();
    this.#host.attach().then(
      () => setImmediate(() => this.dispatch({ type: 'attached' })),
      (error: unknown) => this.dispatch({ type: 'program-failed', message: String(error) }),
    );
  }

  #adopt(seq: number): void {
    const { records, fds } = this.#connections ?? { records: [], fds: [] };
    this.#connections = undefined;
    const refused: number[] = [];
    fds.forEach((fd, index) => {
      const record = records[index];
      if (record === undefined) closeAll([fd]);
      if (record === undefined || !this.#host.adopt(record, fd)) refused.push(index);
    });
    for (let index = fds.length; index < records.length; index++) refused.push(index);
    this.#talk.send({ type: 'ACK', of: seq, refused });
  }
}
