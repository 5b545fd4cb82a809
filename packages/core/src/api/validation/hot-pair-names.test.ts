import { expect, test } from '@jest/globals';
import type { SidecarContainer, SidecarSetSpec } from '../sidecarset.js';
import { validateOwnFields } from './own-fields.js';

const hot = (name: string, more: Partial<SidecarContainer> = {}): SidecarContainer => ({
  name,
  upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'empty:1' },
  ...more,
});
const fieldsOf = (spec: SidecarSetSpec) =>
  validateOwnFields(spec, 'spec').map(({ field, value }) => `${field}=${value}`);

test.each<[string, SidecarSetSpec, string[]]>([
  ['a container', { containers: [hot('mesh'), { name: 'mesh-1' }] }, ['spec.containers[1].name="mesh-1"']],
  [
    'an init container',
    { containers: [hot('mesh')], initContainers: [{ name: 'mesh-2' }] },
    ['spec.initContainers[0].name="mesh-2"'],
  ],
  [
    'the pair of a native sidecar',
    { containers: [{ name: 'mesh-1' }], initContainers: [hot('mesh', { restartPolicy: 'Always' })] },
    ['spec.initContainers[0].name="mesh-1"'],
  ],
  [
    'nothing, as a plain init container is no pair',
    { containers: [{ name: 'mesh-1' }], initContainers: [hot('mesh')] },
    [],
  ],
])('the names of a hot pair clash with those of %s', (_, spec, expected) => {
  expect(fieldsOf(spec)).toEqual(expected);
});
