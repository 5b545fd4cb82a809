import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Labelled, LabelTally } from './label-tally.js';
import { expandScatterTerms, type Scatterable, type ScatterTerm, scatter } from './scatter.js';

const queueOf = <T extends Labelled>(pods: readonly T[], onRead: () => void = () => undefined): Scatterable<T> => ({
  size: pods.length,
  labels: new LabelTally(() => pods),
  *inOrder() {
    for (const pod of pods) {
      onRead();
      yield pod;
    }
  },
});

const labelOf = ({ labels }: Labelled, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

/** The same rule in the plainest way: each term takes the whole order apart and puts it together again. */
const scatterWhole = <T extends Labelled>(
  candidates: readonly T[],
  terms: readonly ScatterTerm[],
  pods: readonly Labelled[],
): T[] => {
  const having = ({ key, value }: ScatterTerm) => candidates.filter((pod) => labelOf(pod, key) === value).length;
  const sorted =
    terms.length === 1 ? terms : terms.filter((term) => having(term) > 0).toSorted((a, b) => having(b) - having(a));
  return sorted.reduce((order, term) => spreadWhole(order, term, pods), [...candidates]);
};

const spreadWhole = <T extends Labelled>(order: T[], { key, value }: ScatterTerm, pods: readonly Labelled[]): T[] => {
  const isInside = (pod: Labelled) => (labelOf(pod, key) ?? '') === value;
  const inside = order.filter(isInside);
  const outside = order.filter((pod) => !isInside(pod));
  if (inside.length <= 1 || outside.length <= 1) return order;
  const last = inside.pop() as T;
  const total = pods.filter(isInside).length;
  const all = { inside: total - 1, outside: pods.length - total };
  const isDenser = Math.fround(all.outside / all.inside) >= Math.fround(outside.length / inside.length);
  const from = isDenser ? { inside: inside.length, outside: outside.length } : all;
  const even = Math.min(from.inside, from.outside);
  const size = { inside: Math.round(from.inside / even), outside: Math.round(from.outside / even) };
  const fitting = Math.min(Math.floor(inside.length / size.inside), Math.floor(outside.length / size.outside));
  const count = isDenser ? even : fitting;
  const spread = isDenser ? [] : outside.splice(0, outside.length - count * size.outside);
  for (let i = 0; i < count; i += 1) spread.push(...inside.splice(0, size.inside), ...outside.splice(0, size.outside));
  return [...spread, ...inside, ...outside, last];
};

describe('scattering', () => {
  const make = (text: string) =>
    [...text].map((zone, i) => ({ id: `${zone}${i}`, labels: zone === '-' ? {} : { zone } }));
  const run = (text: string, terms: { key: string; value: string }[]) => {
    const all = make(text);
    return [...scatter(queueOf(all), expandScatterTerms(terms, all), all)].map((each) => each.id[0]).join('');
  };
  test.each([
    ['a term is spread, its last pod comes at the end', 'aaabbbb', [{ key: 'zone', value: 'a' }], 'abbabba'],
    ['one pod of a term stays where it is', 'abbb', [{ key: 'zone', value: 'a' }], 'abbb'],
    ['nearly all of a term leaves nothing to spread', 'aaaab', [{ key: 'zone', value: 'a' }], 'aaaab'],
    ['a term no pod has changes nothing', 'abab', [{ key: 'zone', value: 'q' }], 'abab'],
    [
      'a star stands for every value',
      'aaabbbcc',
      [{ key: 'zone', value: '*' }],
      run(
        'aaabbbcc',
        ['a', 'b', 'c'].map((value) => ({ key: 'zone', value })),
      ),
    ],
  ])('%s', (_, text, terms, expected) => {
    expect(run(text, terms)).toBe(expected);
  });
  test('each term counts once, also when it is given and found by a star', () => {
    const terms = expandScatterTerms(
      [
        { key: 'zone', value: 'a' },
        { key: 'zone', value: '*' },
      ],
      make('ab-a'),
    );
    expect(terms).toEqual([
      { key: 'zone', value: 'a' },
      { key: 'zone', value: 'b' },
    ]);
  });
  test('no pod is lost and none is doubled', () => {
    const zones = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '-'), maxLength: 30 });
    fc.assert(
      fc.property(zones, zones, (candidates, others) => {
        const chosen = make(candidates);
        const all = [...chosen, ...make(others)];
        const order = scatter(queueOf(chosen), expandScatterTerms([{ key: 'zone', value: '*' }], all), all);
        expect([...order].map((each) => each.id).sort()).toEqual(chosen.map((each) => each.id).sort());
      }),
    );
  });
});

describe('an order that is made while it is read', () => {
  const labels = fc.record(
    { zone: fc.constantFrom('a', 'b', 'c', ''), disk: fc.constantFrom('x', 'y') },
    { requiredKeys: [] },
  );
  const term = fc.record({
    key: fc.constantFrom('zone', 'disk', 'none'),
    value: fc.constantFrom('a', 'b', 'x', '*', ''),
  });

  test('is the one that taking everything apart for each term comes to', () => {
    const pods = fc.array(fc.tuple(labels, fc.boolean()), { maxLength: 60 });
    fc.assert(
      fc.property(pods, fc.array(term, { minLength: 1, maxLength: 4 }), (drawn, terms) => {
        const all = drawn.map(([each], id) => ({ id, labels: each as Record<string, string> }));
        const chosen = all.filter(({ id }) => drawn[id]?.[1]);
        const expanded = expandScatterTerms(terms, all);
        const order = [...scatter(queueOf(chosen), expanded, all)];
        expect(order.map(({ id }) => id)).toEqual(scatterWhole(chosen, expanded, all).map(({ id }) => id));
      }),
      { numRuns: 1_000 },
    );
  });

  test('is the same with more terms than a chain of readers is deep', () => {
    const all = Array.from({ length: 900 }, (_, id) => ({ id, labels: { group: `g${id % 300}` } }));
    const terms = expandScatterTerms([{ key: 'group', value: '*' }], all);
    expect(terms).toHaveLength(300);
    expect([...scatter(queueOf(all), terms, all)]).toEqual(scatterWhole(all, terms, all));
  });

  test('costs a look at a few pods for the first few, of however many', () => {
    const all = Array.from({ length: 20_000 }, (_, id) => ({ labels: { zone: `z${id % 5}` } }));
    let reads = 0;
    const order = scatter(
      queueOf(all, () => {
        reads += 1;
      }),
      expandScatterTerms([{ key: 'zone', value: '*' }], all),
      all,
    )[Symbol.iterator]();
    for (let taken = 0; taken < 5; taken += 1) expect(order.next().done).toBe(false);
    expect(reads).toBeLessThan(1_000);
  });
});

describe('the tally of labels', () => {
  test('counts what comes and goes as a count of everybody would', () => {
    const step = fc.record({
      id: fc.nat({ max: 8 }),
      labels: fc.dictionary(fc.constantFrom('zone', '__proto__', 'constructor'), fc.constantFrom('a', 'b', '')),
      goes: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const members = new Map<number, Labelled>();
        const tally = new LabelTally(() => members.values());
        for (const { id, labels, goes } of steps) {
          const old = members.get(id);
          members.delete(id);
          if (old !== undefined) tally.remove(old);
          if (!goes) {
            members.set(id, { labels });
            tally.add({ labels });
          }
          for (const key of ['zone', '__proto__', 'constructor', 'toString']) {
            const values = [...members.values()].flatMap((member) => labelOf(member, key) ?? []);
            const counts = Object.fromEntries(
              [...new Set(values)].map((value) => [value, values.filter((one) => one === value).length]),
            );
            expect(Object.fromEntries(tally.of(key))).toEqual(counts);
          }
        }
      }),
    );
  });
});
