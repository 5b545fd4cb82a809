import { describe, expect, test } from '@jest/globals';
import { continueTrace, currentTrace, withSpan } from './tracing.js';

describe('tracing without an SDK', () => {
  test('hands through the result and the failure of the work', async () => {
    await expect(withSpan('phase', { pod: 'a' }, async () => 7)).resolves.toBe(7);
    await expect(withSpan('phase', {}, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  test('has no trace to carry, and continues none', () => {
    expect(currentTrace()).toEqual({});
    expect(continueTrace(undefined, () => 'done')).toBe('done');
    expect(continueTrace({ traceparent: 'nonsense' }, () => 'done')).toBe('done');
  });
});
