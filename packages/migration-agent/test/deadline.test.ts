import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Deadline } from './deadline.js';

describe('a deadline', () => {
  let now: number;
  beforeEach(() => {
    now = 5_000;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => void jest.restoreAllMocks());

  /** Looks after each of these times. */
  const looks = (deadline: Deadline, ...afterMs: number[]): boolean[] =>
    afterMs.map((ms) => {
      now += ms;
      return deadline.over;
    });

  test('is over when its time has passed, and stays so', () => {
    expect(looks(new Deadline(300), 100, 199, 1, 0, 100)).toEqual([false, false, true, true, true]);
  });

  test('counts a time in which nobody looked as one second, however long it was', () => {
    expect(looks(new Deadline(2_500), 3_600_000, 60_000, 499, 1)).toEqual([false, false, false, true]);
  });

  test('of no time is over at the first look', () => {
    expect(looks(new Deadline(0), 0)).toEqual([true]);
  });
});
