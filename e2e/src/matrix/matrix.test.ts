import { expect, test } from '@jest/globals';
import { ROWS } from './rows.js';

test('every row of the failure matrix has a name of its own', () => {
  expect(new Set(ROWS.map(({ name }) => name)).size).toBe(ROWS.length);
});

test('a quick look at the failure matrix has rows of every kind of failure', () => {
  expect(ROWS.filter(({ quick }) => quick).length).toBeGreaterThan(3);
});
