import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ReviewHeap } from './review-heap.js';
import { SortedBlocks } from './sorted-blocks.js';

describe('sorted blocks', () => {
  interface Item {
    rank: number;
  }
  const byRank = (a: Item, b: Item) => a.rank - b.rank;

  test('hold the same as a sorted array, whatever is put in, merged and taken out', () => {
    const step = fc.record({
      rank: fc.integer({ min: 0, max: 2_000 }),
      do: fc.constantFrom('insert', 'insert', 'remove', 'merge'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 1_500, size: 'max' }), (steps) => {
        const blocks = new SortedBlocks<Item>(byRank);
        const plain = new Map<number, Item>();
        for (const { rank, do: what } of steps) {
          const known = plain.get(rank);
          if (what === 'remove') {
            expect(blocks.remove(known ?? { rank })).toBe(known !== undefined);
            plain.delete(rank);
            continue;
          }
          if (known !== undefined) continue;
          const item = { rank };
          plain.set(rank, item);
          if (what === 'insert') blocks.insert(item);
          else blocks.merge([item]);
        }
        expect([...blocks]).toEqual([...plain.values()].sort(byRank));
      }),
      { numRuns: 30 },
    );
  });

  test('a change among a hundred thousand takes a few dozen comparisons', () => {
    let comparisons = 0;
    const blocks = new SortedBlocks<Item>((a, b) => {
      comparisons += 1;
      return a.rank - b.rank;
    });
    blocks.merge(Array.from({ length: 100_000 }, (_, rank) => ({ rank: rank * 2 })));
    comparisons = 0;
    const item = { rank: 77_777 };
    blocks.insert(item);
    blocks.remove(item);
    expect(comparisons).toBeLessThan(80);
  });
});

describe('the review heap', () => {
  test('gives out every key once, when its last set time has come', () => {
    const entry = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      at: fc.integer({ min: 0, max: 50 }),
      drop: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(entry), fc.integer({ min: 0, max: 60 }), (entries, now) => {
        const heap = new ReviewHeap();
        const times = new Map<string, number>();
        for (const { key, at, drop } of entries) {
          heap.set(key, drop ? Number.POSITIVE_INFINITY : at);
          if (drop) times.delete(key);
          else times.set(key, at);
        }
        expect(heap.next).toBe(Math.min(Number.POSITIVE_INFINITY, ...times.values()));
        const due = [...times].filter(([, at]) => at <= now).map(([key]) => key);
        expect(heap.takeDue(now).sort()).toEqual(due.sort());
        expect(heap.takeDue(now)).toEqual([]);
      }),
    );
  });
});
