import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LabelSelector } from './kubernetes.js';
import {
  isEmptySelector,
  matchesSelector,
  NAMESPACE_NAME_LABEL,
  namespaceSelectorsOverlap,
  selectorsOverlap,
} from './selectors.js';

const KEYS = ['a', 'b'];
const VALUES = ['x', 'y'];
/** Stands for every value that no selector of these tests names. */
const ANOTHER = 'another';

const requirements = fc.oneof(
  fc.record({
    key: fc.constantFrom(...KEYS),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.uniqueArray(fc.constantFrom(...VALUES), { minLength: 1 }),
  }),
  fc.record({ key: fc.constantFrom(...KEYS), operator: fc.constantFrom('Exists', 'DoesNotExist') }),
  fc.record({
    key: fc.constantFrom(...KEYS),
    operator: fc.constantFrom('In', 'NotIn', 'Bogus'),
    values: fc.constant([]),
  }),
);
const selectors: fc.Arbitrary<LabelSelector> = fc.record(
  {
    matchLabels: fc.dictionary(fc.constantFrom(...KEYS), fc.constantFrom(...VALUES)),
    matchExpressions: fc.array(requirements, { maxLength: 3 }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<LabelSelector>;

/** Every set of labels that the selectors can tell apart. */
const everyLabels = (): Record<string, string>[] =>
  KEYS.reduce<Record<string, string>[]>(
    (sets, key) => sets.flatMap((set) => [set, ...[...VALUES, ANOTHER].map((value) => ({ ...set, [key]: value }))]),
    [{}],
  );

describe('label selectors', () => {
  test.each<[LabelSelector | undefined, Record<string, string> | undefined, boolean]>([
    [undefined, { a: 'x' }, false],
    [{}, undefined, true],
    [{ matchLabels: { a: 'x' } }, { a: 'x', b: 'y' }, true],
    [{ matchLabels: { a: 'x' } }, { a: 'y' }, false],
    [{ matchLabels: { a: 'x' } }, undefined, false],
    [{ matchLabels: { toString: 'x' } }, {}, false],
    [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['x', 'y'] }] }, { a: 'y' }, true],
    [{ matchExpressions: [{ key: 'a', operator: 'In', values: [] }] }, { a: 'y' }, false],
    [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['x'] }] }, {}, true],
    [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['x'] }] }, { a: 'x' }, false],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, { a: '' }, true],
    [{ matchExpressions: [{ key: 'constructor', operator: 'Exists' }] }, {}, false],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] }, { a: 'x' }, false],
    [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, { b: 'x' }, true],
    [{ matchExpressions: [{ key: 'a', operator: 'Bogus' }] }, { a: 'x' }, false],
  ])('%j of %j says %s', (selector, labels, matches) => {
    expect(matchesSelector(selector, labels)).toBe(matches);
  });

  test('overlap exactly when some labels fulfil both', () => {
    fc.assert(
      fc.property(selectors, selectors, (a, b) => {
        const both = everyLabels().some((labels) => matchesSelector(a, labels) && matchesSelector(b, labels));
        expect(selectorsOverlap(a, b)).toBe(both);
        expect(selectorsOverlap(b, a)).toBe(both);
      }),
      { numRuns: 1000 },
    );
  });

  test('overlap where OpenKruise is wrong', () => {
    const exists = { matchExpressions: [{ key: 'a', operator: 'Exists' }] };
    expect(selectorsOverlap(exists, { matchLabels: { b: 'x' } })).toBe(true);
    expect(selectorsOverlap(undefined, exists)).toBe(false);
  });

  test('of namespaces: none means all of them, and every namespace bears its name', () => {
    const named = (...values: string[]) => ({
      matchExpressions: [{ key: NAMESPACE_NAME_LABEL, operator: 'In', values }],
    });
    const nameless = { matchExpressions: [{ key: NAMESPACE_NAME_LABEL, operator: 'DoesNotExist' }] };
    expect(namespaceSelectorsOverlap(undefined, undefined)).toBe(true);
    expect(namespaceSelectorsOverlap(undefined, named('a'))).toBe(true);
    expect(namespaceSelectorsOverlap(named('a', 'b'), named('b', 'c'))).toBe(true);
    expect(namespaceSelectorsOverlap(named('a'), named('c'))).toBe(false);
    expect(namespaceSelectorsOverlap(named('a'), { matchLabels: { env: 'prod' } })).toBe(true);
    expect(namespaceSelectorsOverlap(undefined, nameless)).toBe(false);
  });

  test('are empty when they require nothing', () => {
    expect([{}, { matchLabels: {} }, { matchExpressions: [] }].every(isEmptySelector)).toBe(true);
    expect(isEmptySelector({ matchLabels: { a: '' } })).toBe(false);
  });
});
