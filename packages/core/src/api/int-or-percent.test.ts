import { expect, test } from '@jest/globals';
import { isPercent, resolveIntOrPercent } from './int-or-percent.js';

test.each<[number | string | undefined, number, 'up' | 'down', number | undefined]>([
  [3, 10, 'up', 3],
  ['30%', 10, 'up', 3],
  ['25%', 10, 'up', 3],
  ['25%', 10, 'down', 2],
  ['200%', 4, 'down', 8],
  ['0%', 10, 'up', 0],
  ['5', 10, 'up', undefined],
  ['-5%', 10, 'up', undefined],
  [undefined, 10, 'up', undefined],
])('%j of %i, rounded %s, is %j', (value, total, rounding, expected) => {
  expect(resolveIntOrPercent(value, total, rounding)).toBe(expected);
});

test('a percentage is digits and a percent sign', () => {
  expect(['1%', '100%'].every(isPercent)).toBe(true);
  expect(['1', '%', '1.5%', 1].some(isPercent)).toBe(false);
});
