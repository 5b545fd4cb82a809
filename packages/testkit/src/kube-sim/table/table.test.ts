import { describe, expect, test } from '@jest/globals';
import type { SimObject } from '../types.js';
import { humanAge } from './columns.js';
import { readJsonPath } from './json-path.js';
import { columnsOf } from './table.js';

const NOW = new Date('2026-01-10T00:00:00Z');
const before = (seconds: number): string => new Date(NOW.getTime() - seconds * 1000).toISOString();

describe('tables', () => {
  test.each([
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [125, '2m5s'],
    [600, '10m'],
    [10_799, '179m'],
    [10_800, '3h'],
    [12_000, '3h20m'],
    [28_800, '8h'],
    [172_799, '47h'],
    [172_800, '2d'],
  ])('an age of %i seconds reads %s', (seconds, expected) => {
    expect(humanAge(before(seconds), NOW)).toBe(expected);
  });

  const object = {
    status: {
      conditions: [
        { type: 'Paused', reason: 'No' },
        { type: 'Ready', reason: 'AllGood' },
      ],
      n: 3,
    },
    metadata: { annotations: { 'kruise.io/x': 'y' } },
    list: ['a', 'b'],
  };

  test.each<[string, unknown]>([
    ['.status.n', 3],
    ['.status.conditions[?(@.type=="Ready")].reason', 'AllGood'],
    ['.status.conditions[0].type', 'Paused'],
    ['.metadata.annotations.kruise\\.io/x', 'y'],
    [".metadata.annotations['kruise.io/x']", 'y'],
    ['.list[-1]', 'b'],
    ['{.list[*]}', 'a'],
    ['.status.conditions[?(@.type=="Ghost")].reason', undefined],
    ['.nothing.at.all', undefined],
  ])('the path %s reads %j', (path, expected) => {
    expect(readJsonPath(object, path)).toEqual(expected);
  });

  test('a custom resource shows the columns of its definition, with ages and empty cells', () => {
    const resource = { builtin: false, plural: 'sidecarsets' } as Parameters<typeof columnsOf>[0];
    const columns = columnsOf(resource, {
      name: 'v1beta1',
      served: true,
      storage: true,
      additionalPrinterColumns: [
        { name: 'MATCHED', type: 'integer', jsonPath: '.status.matchedPods' },
        { name: 'REASON', type: 'string', jsonPath: '.status.reason' },
        { name: 'AGE', type: 'date', jsonPath: '.metadata.creationTimestamp' },
      ],
    });
    const set = {
      apiVersion: 'x',
      kind: 'y',
      metadata: { name: 's', creationTimestamp: before(60) },
      status: { matchedPods: 0 },
    } as SimObject;
    expect(columns.map((column) => [column.name, column.value(set, NOW)])).toEqual([
      ['Name', 's'],
      ['MATCHED', 0],
      ['REASON', ''],
      ['AGE', '60s'],
    ]);
  });
});
