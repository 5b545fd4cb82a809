import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createPatch } from 'rfc6902';
import { sameJson } from '../json.js';
import { applyConfiguration } from './apply.js';
import { applyJsonPatch } from './json-patch.js';
import { applyMergePatch } from './merge-patch.js';
import { applyStrategicPatch } from './strategic.js';

const clone = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('JSON patch', () => {
  test('leads from any document to any other by the patch between them', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (from, to) => {
        const [before, after] = [clone(from), clone(to)];
        expect(applyJsonPatch(clone(before), createPatch(before, after))).toEqual(after);
      }),
      { numRuns: 500 },
    );
  });

  test.each<[string, unknown, object[], unknown]>([
    ['inserts before an index', [1, 3], [{ op: 'add', path: '/1', value: 2 }], [1, 2, 3]],
    ['appends', { a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    ['moves', { a: 1 }, [{ op: 'move', from: '/a', path: '/b' }], { b: 1 }],
    ['copies', { a: { x: 1 } }, [{ op: 'copy', from: '/a', path: '/b' }], { a: { x: 1 }, b: { x: 1 } }],
    ['takes absent for null in a test', { a: 1 }, [{ op: 'test', path: '/b', value: null }], { a: 1 }],
    [
      'keeps a field called __proto__ a field',
      {},
      [{ op: 'add', path: '/__proto__', value: { x: 1 } }],
      JSON.parse('{"__proto__":{"x":1}}'),
    ],
  ])('%s', (_what, document, patch, expected) => {
    expect(applyJsonPatch(clone(document), patch)).toEqual(expected);
  });

  test.each<[string, unknown, unknown, number]>([
    ['an index beyond the end', [1], [{ op: 'add', path: '/2', value: 0 }], 422],
    ['a leading zero', [1, 2], [{ op: 'replace', path: '/01', value: 0 }], 422],
    ['an unknown operation', {}, [{ op: 'explode', path: '/a' }], 422],
    ['an inherited operation', {}, [{ op: 'constructor', path: '/a' }], 422],
    ['a failed test', { a: 1 }, [{ op: 'test', path: '/a', value: 2 }], 422],
    ['a missing parent', {}, [{ op: 'add', path: '/a/b', value: 1 }], 422],
    ['an object instead of a list', {}, { op: 'add' }, 400],
  ])('refuses %s', (_what, document, patch, code) => {
    expect(() => applyJsonPatch(clone(document), patch)).toThrow(expect.objectContaining({ code }));
  });
});

describe('merge patch', () => {
  // From RFC 7386, appendix A.
  test.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [['a'], ['c'], ['c']],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (target, patch, expected) => {
    expect(applyMergePatch(target, patch)).toEqual(expected);
  });
});

describe('strategic merge patch', () => {
  const pod = {
    spec: {
      containers: [
        { name: 'a', image: 'a:1', env: [{ name: 'X', value: '1' }] },
        { name: 'b', image: 'b:1' },
      ],
    },
  };

  test.each<[string, unknown, unknown, unknown]>([
    [
      'merges containers and their env by name',
      pod,
      { spec: { containers: [{ name: 'a', env: [{ name: 'Y', value: '2' }] }] } },
      {
        spec: {
          containers: [
            {
              name: 'a',
              image: 'a:1',
              env: [
                { name: 'X', value: '1' },
                { name: 'Y', value: '2' },
              ],
            },
            { name: 'b', image: 'b:1' },
          ],
        },
      },
    ],
    [
      'deletes an item on demand',
      pod,
      { spec: { containers: [{ name: 'a', $patch: 'delete' }] } },
      { spec: { containers: [{ name: 'b', image: 'b:1' }] } },
    ],
    [
      'replaces a list on demand',
      pod,
      { spec: { containers: [{ $patch: 'replace' }, { name: 'c', image: 'c:1' }] } },
      { spec: { containers: [{ name: 'c', image: 'c:1' }] } },
    ],
    [
      'puts items into the order that is asked for',
      { containers: [{ name: 'a' }, { name: 'b' }] },
      {
        $setElementOrder: [],
        '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'a' }],
        containers: [{ name: 'c' }],
      },
      { containers: [{ name: 'c' }, { name: 'b' }, { name: 'a' }] },
    ],
    [
      'adds to finalizers as to a set, and takes from them by directive',
      { finalizers: ['x', 'y'] },
      { '$deleteFromPrimitiveList/finalizers': ['x'], finalizers: ['z', 'y'] },
      { finalizers: ['y', 'z'] },
    ],
    [
      'keeps only the keys it retains',
      { strategy: { type: 'A', a: 1 } },
      { strategy: { $retainKeys: ['type'], type: 'B' } },
      { strategy: { type: 'B' } },
    ],
    ['replaces lists without a key', { args: ['a', 'b'] }, { args: ['c'] }, { args: ['c'] }],
    [
      'merges conditions by type',
      { conditions: [{ type: 'A', status: 'True' }] },
      { conditions: [{ type: 'A', status: 'False' }] },
      { conditions: [{ type: 'A', status: 'False' }] },
    ],
  ])('%s', (_what, target, patch, expected) => {
    expect(applyStrategicPatch(clone(target), patch)).toEqual(expected);
  });
});

describe('server-side apply', () => {
  const builtin = (): undefined => undefined;

  test('takes back list items and fields of the former configuration, and nothing of anybody else', () => {
    const current = {
      spec: { volumes: [{ name: 'mine', emptyDir: {} }, { name: 'theirs' }] },
      data: { a: '1', b: '2' },
    };
    const before = { spec: { volumes: [{ name: 'mine', emptyDir: {} }] }, data: { a: '1' } };
    const after = applyConfiguration(current, before, { data: { c: '3' } }, builtin);
    expect(after).toEqual({ spec: { volumes: [{ name: 'theirs' }] }, data: { b: '2', c: '3' } });
  });

  test('replaces a list of a custom resource as a whole unless its schema says it is a map', () => {
    const current = {
      parts: [
        { id: 'a', x: 1 },
        { id: 'b', x: 1 },
      ],
    };
    const config = { parts: [{ id: 'a', x: 2 }] };
    expect(applyConfiguration(current, undefined, config, () => 'atomic')).toEqual(config);
    expect(applyConfiguration(current, undefined, config, () => ['id'])).toEqual({
      parts: [
        { id: 'a', x: 2 },
        { id: 'b', x: 1 },
      ],
    });
  });
});

describe('sameJson', () => {
  test('holds for every copy, in any order of fields, and not after a change', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (object) => {
        const turned = Object.fromEntries(Object.entries(clone(object)).reverse());
        expect(sameJson(clone(object), turned)).toBe(true);
        expect(sameJson({ ...object, absent: undefined }, object)).toBe(true);
        expect(sameJson({ ...object, 'one more': 1 }, object)).toBe(object['one more'] === 1);
      }),
    );
  });
});
