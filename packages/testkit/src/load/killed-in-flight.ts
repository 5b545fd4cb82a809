import type { Loss } from './types.js';

/** A process behind a target was killed at that time. */
export interface Kill {
  target: string;
  atMs: number;
}

/** Whoever reports the kill saw the process gone somewhat after it was, and on a busy machine later than the client did. */
const REPORTED_LATE_MS = 500;
const CLOCK_SLACK_MS = 10;
/** What a kill breaks, the client learns within this time. */
const LEARNT_WITHIN_MS = 1_000;

/** Whether the request was in flight in a process when that was killed: sent before, broken off right after. */
export function wasKilledInFlight(loss: Loss, kills: readonly Kill[]): boolean {
  const broken = loss.kind === 'reset' || loss.kind === 'closed';
  const { sentAtMs } = loss;
  if (!broken || sentAtMs === undefined) return false;
  return kills.some(
    ({ target, atMs }) =>
      target === loss.target &&
      sentAtMs <= atMs + CLOCK_SLACK_MS &&
      loss.atMs >= atMs - REPORTED_LATE_MS &&
      loss.atMs <= atMs + LEARNT_WITHIN_MS,
  );
}
