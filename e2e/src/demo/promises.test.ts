import { expect, test } from '@jest/globals';
import { brokenPromises } from './promises.js';

const kept = { begun: 1, aborted: 1, allowed: 1, stopped: [] };

test('a rollout that aborts what it began, begins no more and stops no old sidecar breaks no promise', () => {
  expect(brokenPromises(kept)).toEqual([]);
});

test.each([
  ['more pods begun than may be', { begun: 2, aborted: 2 }, '2 pods were begun, 1 may be at once'],
  ['a begun pod that was not aborted', { aborted: 0 }, '1 pods were begun, 0 aborted'],
  ['an old sidecar that stopped', { stopped: ['shop/shop-2'] }, 'the old sidecar was stopped in shop/shop-2'],
])('%s is told', (_, seen, broken) => {
  expect(brokenPromises({ ...kept, ...seen })).toEqual([broken]);
});
