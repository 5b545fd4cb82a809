import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { applyDefaults, listKeys, prune, type Schema } from './structural.js';
import { validateBySchema } from './validate.js';

const SCHEMA: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        n: { type: 'integer', default: 3 },
        nested: { type: 'object', default: {}, properties: { on: { type: 'boolean', default: true } } },
        maybe: { type: 'string', nullable: true, default: 'x' },
        map: {
          type: 'object',
          additionalProperties: { type: 'object', properties: { a: { type: 'integer', default: 1 } } },
        },
        open: {
          type: 'object',
          'x-kubernetes-preserve-unknown-fields': true,
          properties: { known: { type: 'object', properties: {} } },
        },
        parts: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['id'],
          items: { type: 'object', properties: { id: { type: 'string' } } },
        },
      },
    },
  },
};

describe('pruning', () => {
  test('drops what the schema does not know, at any depth, and names it', () => {
    const object = {
      apiVersion: 'v',
      kind: 'K',
      metadata: { any: 1 },
      spec: { n: 1, x: 1, parts: [{ id: 'a', y: 1 }], map: { k: { a: 1, z: 1 } } },
    };
    expect(prune(SCHEMA, object).sort()).toEqual(['spec.map.k.z', 'spec.parts[0].y', 'spec.x']);
    expect(object).toEqual({
      apiVersion: 'v',
      kind: 'K',
      metadata: { any: 1 },
      spec: { n: 1, parts: [{ id: 'a' }], map: { k: { a: 1 } } },
    });
  });

  test('keeps unknown fields where they are welcome, but prunes the known ones inside', () => {
    const object = { spec: { open: { free: { deep: 1 }, known: { bad: 1 } } } };
    prune(SCHEMA, object);
    expect(object).toEqual({ spec: { open: { free: { deep: 1 }, known: {} } } });
  });

  test('is done when done: a second time removes nothing', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('spec', 'metadata', 'odd'), fc.jsonValue({ maxDepth: 4 })),
        (object) => {
          prune(SCHEMA, object);
          expect(prune(SCHEMA, object)).toEqual([]);
        },
      ),
    );
  });
});

describe('defaults', () => {
  test.each<[string, object, object]>([
    [
      'fill what is absent, and what is inside a default',
      { spec: {} },
      { spec: { n: 3, nested: { on: true }, maybe: 'x' } },
    ],
    [
      'replace null where null is not allowed',
      { spec: { n: null, maybe: null } },
      { spec: { n: 3, nested: { on: true }, maybe: null } },
    ],
    [
      'reach into maps',
      { spec: { map: { k: {} } } },
      { spec: { n: 3, nested: { on: true }, maybe: 'x', map: { k: { a: 1 } } } },
    ],
    ['make no parents', {}, {}],
  ])('%s', (_what, object, expected) => {
    applyDefaults(SCHEMA, object);
    expect(object).toEqual(expected);
  });
});

describe('validation', () => {
  test.each<[string, unknown, string]>([
    ['type', { spec: { n: 'x' } }, 'spec.n: Invalid value: "string": spec.n in body must be of type integer: "string"'],
    [
      'list',
      { spec: { parts: {} } },
      'spec.parts: Invalid value: "object": spec.parts in body must be of type array: "object"',
    ],
    ['twice', { spec: { parts: [{ id: 'a' }, { id: 'a' }] } }, 'spec.parts[1]: Duplicate value: {"id":"a"}'],
    ['null', { spec: { n: null } }, 'spec.n: Invalid value: "null": spec.n in body must be of type integer: "null"'],
  ])('%s', (_what, object, expected) => {
    const causes = validateBySchema(SCHEMA, object as Record<string, unknown>);
    expect(causes.map(({ field, message }) => `${field}: ${message}`)).toEqual([expected]);
  });

  test('metadata is none of its business, and nullable fields may be null', () => {
    expect(validateBySchema(SCHEMA, { metadata: 5, spec: { maybe: null } } as never)).toEqual([]);
  });
});

test('the keys of a map list are found by its path; every other list is one value', () => {
  expect(listKeys(SCHEMA, ['spec', 'parts'])).toEqual(['id']);
  expect(listKeys(SCHEMA, ['spec', 'open', 'list'])).toBe('atomic');
});
