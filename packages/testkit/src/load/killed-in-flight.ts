import type { Loss } from './types.js';

/** A process behind a target was killed at that time. */
export interface Kill {
  target: string;
  atMs: number;
}

/** Whoever reports the kill saw the process gone somewhat after it was, and on a busy machine later than the client did. */
const REPORTED_LATE_MS = 2_000;
const CLOCK_SLACK_MS = 10;
/** What a kill breaks, a client that looks learns within this time. */
const LEARNT_WITHIN_MS = 1_000;

/**
 * Whether the request was in flight in a process when that was killed: on a connection from before, broken off right after. One
 * that was written later counts, too: a busy client writes on for as long as it has not heard that the connection is gone, and a
 * connection that was begun later cannot have been to that process.
 */
export function wasKilledInFlight(loss: Loss, kills: readonly Kill[]): boolean {
  const broken = loss.kind === 'reset' || loss.kind === 'closed';
  const { openedAtMs, lookedAtMs } = loss;
  if (!broken || openedAtMs === undefined) return false;
  return kills.some(
    ({ target, atMs }) =>
      target === loss.target &&
      openedAtMs <= atMs + CLOCK_SLACK_MS &&
      loss.atMs >= atMs - REPORTED_LATE_MS &&
      lookedAtMs <= atMs + LEARNT_WITHIN_MS,
  );
}
