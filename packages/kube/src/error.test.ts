import { describe, expect, test } from '@jest/globals';
import {
  errorFromAnswer,
  errorFromWatchEvent,
  isAlreadyExists,
  isConflict,
  isExpired,
  isNotFound,
  KubeError,
} from './error.js';

const status = (reason: string, more: object = {}) =>
  JSON.stringify({ kind: 'Status', reason, message: 'said so', ...more });

describe('an error of the API server', () => {
  test.each<[number, string, string | undefined, object]>([
    [404, status('NotFound'), undefined, { status: 404, reason: 'NotFound', message: 'said so', retry: 'never' }],
    [409, status('Conflict'), undefined, { reason: 'Conflict', retry: 'backoff' }],
    [409, status('AlreadyExists'), undefined, { reason: 'AlreadyExists', retry: 'never' }],
    [422, status('Invalid'), undefined, { reason: 'Invalid', retry: 'never' }],
    [429, status('TooManyRequests'), '7', { reason: 'TooManyRequests', retry: { afterMs: 7000 }, retryAfterMs: 7000 }],
    [429, status('TooManyRequests', { details: { retryAfterSeconds: 2 } }), undefined, { retry: { afterMs: 2000 } }],
    [429, 'slow down', 'soon', { reason: 'TooManyRequests', message: 'slow down', retry: 'backoff' }],
    [500, '', undefined, { reason: 'InternalError', message: 'the API server answered 500', retry: 'backoff' }],
    [503, '<html>', undefined, { reason: 'ServiceUnavailable', message: '<html>', retry: 'backoff' }],
    [403, 'null', undefined, { reason: 'Forbidden', message: 'null', retry: 'never' }],
  ])('with status %d, body %s and Retry-After %s is understood', (code, body, retryAfter, expected) => {
    const error = errorFromAnswer(code, body, retryAfter);
    expect(error).toMatchObject(expected);
    expect(error.code).toBe('KUBE_REQUEST_FAILED');
    expect(error.hint).not.toBe('');
  });

  test('in a watch carries its own code', () => {
    expect(errorFromWatchEvent({ kind: 'Status', code: 410, reason: 'Expired', message: 'old' })).toMatchObject({
      status: 410,
    });
    expect(errorFromWatchEvent(null)).toMatchObject({ status: 500, reason: 'InternalError' });
  });
});

test.each([
  [isNotFound, errorFromAnswer(404, '', undefined)],
  [isConflict, errorFromAnswer(409, status('Conflict'), undefined)],
  [isAlreadyExists, errorFromAnswer(409, status('AlreadyExists'), undefined)],
  [isExpired, errorFromAnswer(410, '', undefined)],
  [isExpired, errorFromWatchEvent({ code: 500, reason: 'Expired' })],
])('%s knows its error and no other', (predicate, error) => {
  expect(predicate(error)).toBe(true);
  expect(predicate(new KubeError({ status: 500, reason: 'InternalError', message: 'x' }))).toBe(false);
  expect(predicate(new Error('x'))).toBe(false);
});
