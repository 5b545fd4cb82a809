import { expect, test } from '@jest/globals';
import { optimisticGuards, pointer } from './patch.js';

test.each([
  [['metadata', 'annotations', 'kruise.io/sidecarset-hash'], '/metadata/annotations/kruise.io~1sidecarset-hash'],
  [['a~b', 0, '-'], '/a~0b/0/-'],
  [[], ''],
])('the pointer of %j is %s', (segments, expected) => {
  expect(pointer(...(segments as (string | number)[]))).toBe(expected);
});

test('guards tie a patch to the very object and version that was looked at', () => {
  expect(optimisticGuards({ uid: 'u', resourceVersion: '7' })).toEqual([
    { op: 'test', path: '/metadata/uid', value: 'u' },
    { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
  ]);
  expect(optimisticGuards({})).toEqual([]);
});
