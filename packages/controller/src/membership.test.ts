import { expect, test } from '@jest/globals';
import { injectedSidecarSets } from './membership.js';

const podWith = (annotations: Record<string, string>) => ({ metadata: { annotations }, spec: { containers: [] } });

test.each([
  ['the list', { 'kruise.io/sidecarset-injected-list': 'log-set,mesh-set' }, ['log-set', 'mesh-set']],
  ['the hashes, when the list is missing', { 'kruise.io/sidecarset-hash': '{"mesh-set":{"hash":"a"}}' }, ['mesh-set']],
  [
    'the list rather than the hashes',
    { 'kruise.io/sidecarset-injected-list': 'a', 'kruise.io/sidecarset-hash': '{"b":{}}' },
    ['a'],
  ],
  ['nothing, when there is none', {}, []],
  ['nothing, when the hashes cannot be read', { 'kruise.io/sidecarset-hash': 'not json' }, []],
  ['nothing, when the hashes are no map', { 'kruise.io/sidecarset-hash': 'null' }, []],
])('a pod belongs to the SidecarSets named by %s', (_what, annotations, expected) => {
  expect(injectedSidecarSets(podWith(annotations as Record<string, string>))).toEqual(expected);
});
