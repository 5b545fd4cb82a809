import type { ChildProcess, StdioOptions } from 'node:child_process';
import type { OwnedListener } from '../native/listener.js';

/** What an adapter may use to start one run of the program. */
export interface StartTools {
  /** CMD and its arguments, as given after `--`. */
  command: string[];
  /** In the order of `--listen`; the descriptors stay the agent's. */
  listeners: OwnedListener[];
  /** A directory of this agent alone, short enough for Unix socket paths. */
  directory: string;
  /** Rises with every start in this container. */
  run: number;
  spawn(command: string[], options: { env?: Record<string, string>; stdio?: StdioOptions }): ChildProcess;
  log(event: string, fields: Record<string, unknown>): void;
  /** Aborted when the program need not become ready any more: it ended, or the time is over. */
  gone: AbortSignal;
}

/** One run of the program that is ready to serve. */
export interface RunningProgram {
  child: ChildProcess;
  /**
   * The successor serves: stop accepting now, end the connections, exit when empty. Must not wait. What SIGTERM means to most.
   */
  retire(): void;
  /** How many connections it has, if there is a private way to ask. */
  openConnections?(): number;
  /** Frees what the adapter made for this run; called after the program ended. */
  close(): void;
}

/**
 * How one kind of program takes its sockets, says that it is ready, and leaves.
 *
 * "Ready" must come over a private channel: on a shared listener the old process answers too, and a pid is 1 in both containers.
 */
export interface Adapter {
  readonly name: string;
  /** `shared`: old and new accept side by side for a moment. `exclusive`: the old one must be gone before the new one can bind. */
  readonly sharing: 'shared' | 'exclusive';
  /** One sentence for `--help`. */
  readonly summary: string;
  /** Starts the program; resolves when it serves. Rejects with the reason when it cannot. */
  start(tools: StartTools): Promise<RunningProgram>;
}
