import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { isSpoiltBy, Standstill } from './standstill.js';

describe('a row on a machine that stands still', () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  /** One turn of the program, that long after the one before. */
  const turn = (ms: number): void => {
    now += ms;
    jest.advanceTimersByTime(100);
  };
  const turns = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 100) turn(100);
  };

  test('waits as long as it takes while the machine runs, and for a while after a standstill', () => {
    const standstill = new Standstill(() => now);
    turns(100_000);
    turn(3_000);
    turns(100_000);
    expect(standstill.isGivenUp).toBe(false);
    turn(60_000);
    turns(29_000);
    expect(standstill.isGivenUp).toBe(false);
    const stoodStillMs = standstill.end();
    expect(stoodStillMs).toBe(59_900);
    expect(isSpoiltBy(stoodStillMs)).toBe(true);
  });

  test('is given up when it has not come right half a minute after one', () => {
    const standstill = new Standstill(() => now);
    turn(5_000);
    turns(31_000);
    expect(standstill.isGivenUp).toBe(true);
    standstill.end();
  });
});
