import type { ConnectionRecord } from '../protocol/messages.js';

export interface DrainCounts {
  migrated: number;
  drained: number;
  killed: number;
}

/** What a drain may use. */
export interface DrainTools {
  /** Milliseconds after which what is left is cut. Asked again and again: SIGTERM can shorten it. */
  remainingMs(): number;
  /** Ends the drain early: the successor died and this process serves again. */
  cancelled: AbortSignal;
  /**
   * Gives connections to the successor; resolves with the indexes it refused. Undefined when it cannot take any.
   * The descriptors stay the caller's.
   */
  migrate?: (records: ConnectionRecord[], fds: number[]) => Promise<number[]>;
}

/** What serves behind the listeners: servers in this process, a program that the agent supervises, or nothing (the custodian). */
export interface Workload {
  /** Accept on every listener, for the first time or again. Resolves when connections are really being taken. */
  attach(): Promise<void> | void;
  /** Stop accepting before this returns; open connections go on. `terminating`: nobody follows. */
  detach(why?: 'succeeded' | 'terminating'): void;
  /** A hand-over that had begun did not happen: this process goes on as the owner. */
  kept?(): void;
  /** End the open connections. Never rejects. */
  drain(tools: DrainTools): Promise<DrainCounts>;
  openConnections(): number;
  /** TLS ticket keys by listener, base64. */
  ticketKeys(): Record<string, string>;
  useTicketKeys(keys: Record<string, string>): void;
  /** Takes a migrated connection; the descriptor is the workload's from here on. False refuses (and closes) it. */
  adopt(record: ConnectionRecord, fd: number): boolean;
}

/** The custodian's: nothing serves, nothing drains. */
export const NO_WORKLOAD: Workload = {
  attach: () => undefined,
  detach: () => undefined,
  drain: async () => ({ migrated: 0, drained: 0, killed: 0 }),
  openConnections: () => 0,
  ticketKeys: () => ({}),
  useTicketKeys: () => undefined,
  adopt: () => false,
};
