import type { Random } from './clock.js';

export interface BackoffOptions {
  baseMs: number;
  maxMs: number;
  /** Share of the delay that is random, 0 to 1. Spreads out clients that failed at the same moment. */
  jitter: number;
}

/** How long to wait before try number `failures + 1`: doubles from `baseMs` up to `maxMs`, less up to `jitter` of it by chance. */
export function backoffMs(failures: number, options: BackoffOptions, random: Random): number {
  const full = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(failures, 30));
  return Math.round(full * (1 - options.jitter * random()));
}
