import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { retryDelayMs } from './retry.js';

describe('the delay before a failed job is tried again', () => {
  test.each([
    ['never retried', { retry: 'never' }, 1, 'never'],
    ['after the time the error names', { retry: { afterMs: 1_234 } }, 7, 1_234],
    ['not in the past', { retry: { afterMs: -5 } }, 1, 0],
    ['half a second at first', { retry: 'backoff' }, 1, 500],
    ['twice as long the next time', { retry: 'backoff' }, 2, 1_000],
    ['a minute at most', { retry: 'backoff' }, 50, 60_000],
    ['with back-off when the error has no rule', new Error('unknown'), 1, 500],
    ['with back-off when the rule cannot be read', { retry: { afterMs: 'soon' } }, 1, 500],
    ['with back-off when it is not an error at all', undefined, 1, 500],
  ])('is %s', (_what, error, failures, expected) => {
    expect(retryDelayMs(error, failures, 1)).toBe(expected);
  });

  test('spreads retries over the upper half of the back-off', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, random) => {
          const full = retryDelayMs({ retry: 'backoff' }, failures, 1) as number;
          const delay = retryDelayMs({ retry: 'backoff' }, failures, random) as number;
          expect(delay).toBeGreaterThanOrEqual(full / 2);
          expect(delay).toBeLessThanOrEqual(full);
        },
      ),
    );
  });
});
