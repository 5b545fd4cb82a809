import type { ChildProcess, StdioOptions } from 'node:child_process';
import type { ListenerPlan, OwnedListener } from '../native/listener.js';

export interface SpawnOptions {
  env?: Record<string, string>;
  stdio?: StdioOptions;
}

/** What an adapter may use to start one run of the program. */
export interface StartTools {
  /** CMD and its arguments, as given after `--`. */
  command: string[];
  /** In the order of `--listen`; the descriptors stay the agent's. */
  listeners: OwnedListener[];
  sockets: SocketKeeper;
  /** `--ready`: the private sign by which the program shows that it serves, where the adapter leaves a choice. */
  readySign: string | undefined;
  /** A path in the private directory that no other run uses, short enough for a Unix socket. */
  path(name: string): string;
  /** Rises with every start in this container. */
  run: number;
  /** The child is the launcher, the program is below it. */
  spawn(command: string[], options: SpawnOptions): ChildProcess;
  log(event: string, fields: Record<string, unknown>): void;
  /** Aborted when the program need not become ready any more: it ended, or the time is over. Which of the two is said for the adapter. */
  gone: AbortSignal;
  /** How long a retired run may take to end its connections. */
  drainMs: number;
}

/** The sockets that the agent owns, hands over and lets custodians keep. */
export interface SocketKeeper {
  all(): Iterable<OwnedListener>;
  /** For a program that opens sockets by itself: a duplicate of one, the keeper's from here on. Replaces the one of the same name. */
  add(listener: OwnedListener): void;
  /** Closes one that the program does not use. */
  drop(name: string): void;
}

/** Why a run is told to leave. */
export type RetireReason = 'succeeded' | 'terminating';

/**
 * Who owns the sockets, and what that means for the order.
 *
 * `shared`: the agent; old and new accept side by side for a moment · `exclusive`: the program; the old one must be gone before the
 * new one can bind · `own`: the program, and the new one fetches them from the old one by itself. With `own` nobody keeps a
 * duplicate: after a crash in the guard addresses have to be bound again.
 */
export type Sharing = 'shared' | 'exclusive' | 'own';

/** One run of the program that is ready to serve. */
export interface RunningProgram {
  child: ChildProcess;
  /**
   * Stop accepting now, end the connections, exit when empty. Must not wait. What SIGTERM means to most.
   *
   * @param why `succeeded`: a successor serves · `terminating`: this container ends and nobody follows
   */
  retire(why: RetireReason): void;
  /** A hand-over did not happen. Resolves with whether this run goes on serving; without it, it does. */
  stillServes?(): Promise<boolean>;
  /** How many connections it has, if there is a private way to ask. */
  openConnections?(): number;
  /** Frees what the adapter made for this run; called after the program ended. */
  close(): void;
}

/** What the user wrote. */
export interface Usage {
  command: readonly string[];
  readySign: string | undefined;
  listeners: readonly ListenerPlan[];
}

/**
 * How one kind of program takes its sockets, says that it is ready, and leaves.
 *
 * "Ready" must come over a private channel: on a shared listener the old process answers too, and a pid is 1 in both containers.
 */
export interface Adapter {
  readonly name: string;
  readonly sharing: Sharing;
  /** Takes every socket that the version before had; otherwise those that `--listen` names. */
  readonly adoptsAll?: boolean;
  /** What `--ready` may be, the default first; without it there is no choice. */
  readonly readySigns?: readonly string[];
  /** A retired run keeps its addresses until it has ended: it is ended before another can start in its place. */
  readonly holdsAddressesToItsEnd?: boolean;
  /** The signal that ends a run that is given up, and may have accepted connections by then. Default SIGTERM. */
  readonly leavesOn?: NodeJS.Signals;
  /** Ends what does not leave in time; by default it is killed at once, with all of its processes. */
  kill?(child: ChildProcess): void;
  /** One sentence for `--help`. */
  readonly summary: string;
  /** Before anything is asked for or opened. @throws TypeError when CMD, `--ready` or a `--listen` cannot work. */
  check?(usage: Usage): void;
  /** Another adapter for this very program; undefined when this one is right. Asked once, after `check`. */
  insteadFor?(command: readonly string[]): Promise<Adapter | undefined>;
  /** Starts the program; resolves when it serves. Rejects with what was missing at `gone`, or with the reason why it is refused. */
  start(tools: StartTools): Promise<RunningProgram>;
}
