import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { applyJsonPatch } from '../injection/apply-json-patch.js';
import { diffJson } from './json-diff.js';

describe('the difference of two JSON values', () => {
  test.each<[string, unknown, unknown, unknown]>([
    ['nothing', { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, []],
    ['a new field', { a: 1 }, { a: 1, b: { c: 2 } }, [{ op: 'add', path: '/b', value: { c: 2 } }]],
    [
      'a changed field deep inside',
      { a: [{ b: 1, c: 1 }] },
      { a: [{ b: 2, c: 1 }] },
      [{ op: 'replace', path: '/a/0/b', value: 2 }],
    ],
    ['a field that is gone', { a: 1, b: 2 }, { a: 1 }, [{ op: 'remove', path: '/b' }]],
    ['a field that became undefined', { a: 1, b: 2 }, { a: 1, b: undefined }, [{ op: 'remove', path: '/b' }]],
    ['a list of another length', { a: [1] }, { a: [1, 2] }, [{ op: 'replace', path: '/a', value: [1, 2] }]],
    ['another type', { a: [1] }, { a: { 0: 1 } }, [{ op: 'replace', path: '/a', value: { 0: 1 } }]],
    ['null in place of an object', { a: {} }, { a: null }, [{ op: 'replace', path: '/a', value: null }]],
    ['names with / and ~', { 'x/y~z': 1 }, { 'x/y~z': 2 }, [{ op: 'replace', path: '/x~1y~0z', value: 2 }]],
  ])('is %s', (_, before, after, patch) => {
    expect(diffJson(before, after)).toEqual(patch);
  });

  test('turns the one into the other', () => {
    const object = fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(object, object, (before, after) => {
        const from = { before, after, same: before };
        const to = { before: after, after: before, same: before };
        expect(applyJsonPatch(from as unknown, diffJson(from, to))).toEqual(to);
      }),
    );
  });
});
