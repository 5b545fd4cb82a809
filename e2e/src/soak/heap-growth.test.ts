import { describe, expect, test } from '@jest/globals';
import { growthProblem, heapGrowth } from './heap-growth.js';
import type { HeapSample } from './heap-samples.js';

const samples = (minutes: number, megabytes: (minute: number) => number): HeapSample[] =>
  Array.from({ length: minutes * 30 }, (_, at) => ({ atMs: at * 2_000, megabytes: megabytes(at / 30) }));
/** Work under way, which comes and goes. */
const busy = (minute: number): number => 3 * Math.sin(minute * 40);

describe('a heap', () => {
  test.each<[string, number, (minute: number) => number, boolean]>([
    ['that stays', 30, () => 40, false],
    ['that comes and goes', 30, (minute) => 40 + busy(minute), false],
    ['that is filled at the start and then stays', 30, (minute) => 80 * Math.min(1, minute) + busy(minute), false],
    ['that grows slowly for half an hour', 30, (minute) => 40 + minute + busy(minute), true],
    ['that grows quickly for three minutes', 3, (minute) => 40 + 12 * minute + busy(minute), true],
    ['that shrinks', 30, (minute) => 100 - minute, false],
  ])('%s: over %i minutes', (_, minutes, megabytes, isProblem) => {
    const growth = heapGrowth(samples(minutes, megabytes))!;
    expect(growthProblem('planner', growth) !== undefined).toBe(isProblem);
  });

  test('is told with its numbers', () => {
    const growth = heapGrowth(samples(30, (minute) => 40 + minute))!;
    expect(growth).toEqual({ samples: 900, middleMb: 55, endMb: 69.97, mbPerMinute: 1 });
    expect(growthProblem('planner', growth)).toBe(
      'the heap of planner grew from 55 to 69.97 MB in the second half (1 MB a minute)',
    );
  });

  test('that was watched too shortly says nothing', () => {
    expect(heapGrowth(samples(30, () => 40).slice(0, 11))).toBeUndefined();
  });
});
