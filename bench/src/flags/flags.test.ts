import { describe, expect, test } from '@jest/globals';
import { allowFlags, numbersFlag, WrongArguments } from './flags.js';

describe('the flags of a benchmark', () => {
  test('are lists of whole numbers, or the default', () => {
    expect(numbersFlag(['--sets', '1,1000'], '--sets', [1])).toEqual([1, 1000]);
    expect(numbersFlag(['--clients', '8'], '--sets', [1, 10])).toEqual([1, 10]);
  });

  test.each(['', 'x', '0', '1,', '-1', '1.5', undefined])('with the value %p are refused', (value) => {
    const args = ['--sets', ...(value === undefined ? [] : [value])];
    expect(() => numbersFlag(args, '--sets', [1])).toThrow(WrongArguments);
  });

  test('that nobody knows are refused by name', () => {
    expect(() => allowFlags(['--sets', '1', '--set', '2'], ['--sets'])).toThrow('unknown argument --set;');
    expect(() => allowFlags(['--sets', '1'], ['--sets'])).not.toThrow();
  });
});
