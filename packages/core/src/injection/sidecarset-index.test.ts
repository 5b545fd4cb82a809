import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LabelSelector } from '../api/kubernetes.js';
import { matchesSelector, NAMESPACE_NAME_LABEL } from '../api/selectors.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { SidecarSetIndex } from './sidecarset-index.js';

function aSet(name: string, selector: LabelSelector, namespaceSelector?: LabelSelector): SidecarSet {
  return { metadata: { name }, spec: { selector, ...(namespaceSelector ? { namespaceSelector } : {}) } };
}

const names = (index: SidecarSetIndex, labels: Record<string, string>, namespace = 'shop'): string[] =>
  index.candidates(labels, namespace).map(({ name }) => name);

const key = fc.constantFrom('a', 'b', 'c');
const value = fc.constantFrom('1', '2', '3');
const selector: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: fc.dictionary(key, value, { maxKeys: 2 }),
  matchExpressions: fc.array(
    fc.oneof(
      fc.record({
        key,
        operator: fc.constantFrom('In', 'NotIn'),
        values: fc.array(value, { minLength: 1, maxLength: 2 }),
      }),
      fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
    ),
    { maxLength: 2 },
  ),
});

describe('the index of SidecarSets', () => {
  test('never leaves out a set that matches, whatever was put in, replaced and removed before', () => {
    const change = fc.record({ name: fc.constantFrom('s1', 's2', 's3', 's4'), selector, remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.dictionary(key, value), (changes, labels) => {
        const index = new SidecarSetIndex();
        const held = new Map<string, LabelSelector>();
        for (const { name, selector: wanted, remove } of changes) {
          if (remove) held.delete(name);
          else held.set(name, wanted);
          if (remove) index.remove(name);
          else index.upsert(aSet(name, wanted));
        }
        const matching = [...held].filter(([, wanted]) => matchesSelector(wanted, labels)).map(([name]) => name);
        expect(names(index, labels)).toEqual(expect.arrayContaining(matching));
        expect(index.size).toBe(held.size);
        expect(names(index, labels).every((name) => held.has(name))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('visits none of the sets that ask for another label value or namespace', () => {
    const index = new SidecarSetIndex();
    for (let n = 0; n < 500; n += 1) {
      index.upsert(aSet(`label-${n}`, { matchLabels: { app: `other-${n}` } }));
      index.upsert(
        aSet(`in-${n}`, { matchExpressions: [{ key: 'app', operator: 'In', values: [`x-${n}`, `y-${n}`] }] }),
      );
      index.upsert(aSet(`key-${n}`, { matchExpressions: [{ key: `only-${n}`, operator: 'Exists' }] }));
      index.upsert(
        aSet(`namespace-${n}`, { matchLabels: { app: 'shop' } }, { matchLabels: { [NAMESPACE_NAME_LABEL]: `n${n}` } }),
      );
    }
    index.upsert(aSet('mine', { matchLabels: { app: 'shop', team: 'a' } }));
    expect(names(index, { app: 'shop', team: 'a' })).toEqual(['mine']);
    expect(names(index, { app: 'shop' }, 'n7')).toEqual(expect.arrayContaining(['namespace-7']));
    expect(names(index, { app: 'shop' }, 'n7').length).toBeLessThanOrEqual(2);
  });

  test('files a set under its rarest requirement, so that one label shared by all sets costs nothing', () => {
    const index = new SidecarSetIndex();
    for (let n = 0; n < 300; n += 1) index.upsert(aSet(`s${n}`, { matchLabels: { mesh: 'on', app: `a${n}` } }));
    expect(names(index, { mesh: 'on', app: 'a7' }).length).toBeLessThanOrEqual(2);
  });

  test('gives the sets in the order of their names and knows each by its name', () => {
    const sets = ['b', 'a', 'c'].map((name) => aSet(name, { matchLabels: { app: 'shop' } }));
    const index = new SidecarSetIndex(sets);
    expect(names(index, { app: 'shop' })).toEqual(['a', 'b', 'c']);
    expect(index.get('b')).toBe(sets[0]);
    index.remove('b');
    index.remove('b');
    expect(index.get('b')).toBeUndefined();
  });
});
