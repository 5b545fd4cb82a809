import type { RetryRule } from './errors.js';

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 60_000;

const ruleOf = (error: unknown): RetryRule => {
  const rule = (error as { retry?: unknown } | null)?.retry;
  if (rule === 'never' || rule === 'backoff') return rule;
  const afterMs = (rule as { afterMs?: unknown } | undefined)?.afterMs;
  return typeof afterMs === 'number' && Number.isFinite(afterMs) ? { afterMs: Math.max(0, afterMs) } : 'backoff';
};

/**
 * How long a failed job waits, in milliseconds; `never` drops it. Errors without a `retry` rule are retried with back-off,
 * because an unknown failure of a step that may run twice is cheaper to repeat than to lose.
 *
 * @param failures how often this job has failed so far, this time included
 * @param random 0 to 1, spreads the retries of many jobs that failed together
 */
export const retryDelayMs = (error: unknown, failures: number, random: number): number | 'never' => {
  const rule = ruleOf(error);
  if (rule === 'never') return 'never';
  if (rule !== 'backoff') return rule.afterMs;
  const full = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20), LONGEST_RETRY_MS);
  return Math.round(full / 2 + (full / 2) * random);
};
