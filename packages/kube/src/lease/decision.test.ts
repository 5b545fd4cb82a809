import { describe, expect, test } from '@jest/globals';
import { decideLease, type LeaseSpec, releasedLease } from './decision.js';

const now = new Date('2026-01-01T00:01:00Z');
const secondsAgo = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const heldBy = (holderIdentity: string, more: LeaseSpec = {}): LeaseSpec => ({
  holderIdentity,
  leaseDurationSeconds: 15,
  acquireTime: '2026-01-01T00:00:00.000000Z',
  renewTime: '2026-01-01T00:00:30.000000Z',
  leaseTransitions: 4,
  ...more,
});
const decide = (spec: LeaseSpec | undefined, seenSecondsAgo = 0) =>
  decideLease({ spec, seenAt: secondsAgo(seenSecondsAgo), identity: 'me', leaseDurationMs: 15_000, now });

describe('the decision about a lease', () => {
  test.each<[string, LeaseSpec | undefined, number, object]>([
    ['creates one where there is none', undefined, 0, { action: 'create', spec: { leaseTransitions: 0 } }],
    [
      'renews its own and stays in the same epoch',
      heldBy('me'),
      14,
      { action: 'renew', spec: { leaseTransitions: 4 } },
    ],
    ['waits for another holder', heldBy('other'), 5, { action: 'wait', holder: 'other', expiresInMs: 10_000 }],
    [
      'takes what was not renewed for its duration',
      heldBy('other'),
      15,
      { action: 'take', spec: { leaseTransitions: 5 } },
    ],
    ['counts the duration of the holder', heldBy('other', { leaseDurationSeconds: 60 }), 20, { action: 'wait' }],
    ['takes what was given back at once', heldBy(''), 0, { action: 'take', spec: { leaseTransitions: 5 } }],
    ['takes a lease with no holder', { holderIdentity: null }, 0, { action: 'take', spec: { leaseTransitions: 1 } }],
    ['takes a lease with an empty spec', {}, 0, { action: 'take', spec: { leaseTransitions: 1 } }],
  ])('%s', (_, spec, seen, expected) => {
    expect(decide(spec, seen)).toMatchObject(expected);
  });

  test('does not believe the renew time of another clock, only what it saw itself', () => {
    const longAgo = heldBy('other', { renewTime: '2020-01-01T00:00:00.000000Z' });
    expect(decide(longAgo, 1)).toMatchObject({ action: 'wait' });
    const inTheFuture = heldBy('other', { renewTime: '2030-01-01T00:00:00.000000Z' });
    expect(decide(inTheFuture, 15)).toMatchObject({ action: 'take' });
  });

  test('writes times with the six digits that an API server insists on, and keeps the time of acquiring', () => {
    expect(decide(heldBy('me'))).toMatchObject({
      spec: { acquireTime: '2026-01-01T00:00:00.000000Z', renewTime: '2026-01-01T00:01:00.000000Z' },
    });
  });

  test('keeps fields that it does not know', () => {
    expect(decide(heldBy('me', { strategy: 'OldestEmulationVersion' }))).toMatchObject({
      spec: { strategy: 'OldestEmulationVersion' },
    });
  });

  test('gives back with an empty holder and a duration of one second', () => {
    expect(releasedLease(heldBy('me'), now)).toMatchObject({
      holderIdentity: '',
      leaseDurationSeconds: 1,
      leaseTransitions: 4,
    });
  });
});
