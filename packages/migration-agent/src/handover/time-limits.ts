/**
 * Every deadline of a hand-over, in milliseconds, with the default beside its reason.
 *
 * @see docs/reference/takeover-protocol.md
 */
export interface TimeLimits {
  /** Each step from connect to authentication. */
  connectMs: number;
  /** Each OFFER frame until its ACK. */
  offerMs: number;
  /** Collecting and sending app state; late state is skipped. */
  stateMs: number;
  /** The new program's own start, from OFFER to PREPARED. */
  initMs: number;
  /** Longest silence of a starting program's agent. */
  progressMs: number;
  /** How often a starting program's agent says that it is alive. */
  progressEveryMs: number;
  goMs: number;
  servingMs: number;
  commitMs: number;
  /** Heartbeat after the commit, and the silence that makes the old one accept again. */
  heartbeatMs: number;
  heartbeatLimitMs: number;
  /** How long after the commit the old one can still go back. */
  guardMs: number;
  /** The least of the guard that is left when SIGTERM comes. */
  guardAfterSigtermMs: number;
  /** How long a hand-over that has begun may still take when SIGTERM comes before its commit. */
  handoverAfterSigtermMs: number;
  /** How long connections may take to end. */
  drainMs: number;
  /** Idle connections that cannot be moved are closed over this window. */
  idleCloseSpreadMs: number;
  /** How long a starting process looks for the holder of addresses that are in use. */
  coldStartMs: number;
  /** How long a process whose turn it is not waits for an owner before it serves itself. */
  standbyMs: number;
}

export const DEFAULT_LIMITS: TimeLimits = {
  connectMs: 1_000,
  offerMs: 2_000,
  stateMs: 5_000,
  initMs: 60_000,
  progressMs: 10_000,
  progressEveryMs: 1_000,
  goMs: 1_000,
  servingMs: 2_000,
  commitMs: 1_000,
  heartbeatMs: 50,
  heartbeatLimitMs: 250,
  guardMs: 10_000,
  guardAfterSigtermMs: 1_000,
  handoverAfterSigtermMs: 5_000,
  drainMs: 28_000,
  idleCloseSpreadMs: 5_000,
  coldStartMs: 10_000,
  standbyMs: 5_000,
};
