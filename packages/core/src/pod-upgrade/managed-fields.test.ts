import { describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { decidePodUpgrade } from './decide-pod-upgrade.js';
import type { ManagedFieldsPolicy } from './managed-fields.js';
import type { FullPod } from './types.js';
import { upgradeTarget } from './upgrade-target.js';

const wrote = (manager: string, operation = 'Update') => ({ manager, operation, fieldsV1: { 'f:spec': {} } });
const RELEASE = { op: 'add', path: '/metadata/managedFields', value: [{}] };

/** The operations on the books in the write that begins an upgrade. */
const released = (managedFields: unknown, policy?: ManagedFieldsPolicy, annotations = {}) => {
  const due = new SimulatedPod(hotSet('mesh:v1')).wait(3600).image({ mesh: 'mesh:v2' });
  const { metadata } = due.pod;
  const pod = {
    ...due.pod,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations }, managedFields },
  } as FullPod;
  const decision = decidePodUpgrade({
    target: upgradeTarget(due.set),
    pod,
    now: due.clock,
    ...(policy === undefined ? {} : { managedFields: policy }),
  });
  expect(decision.due).toBe('upgrade');
  expect(decision.patch).toEqual(
    expect.arrayContaining([expect.objectContaining({ path: '/spec/containers/1/image' })]),
  );
  return decision.patch?.filter(({ path }) => path.startsWith('/metadata/managedFields'));
};

describe('the books of who wrote which field of a pod', () => {
  test('go with the write that begins an upgrade, where everybody only ever updated the pod', () => {
    expect(released([wrote('kube-controller-manager'), wrote('kubelet')], 'release')).toEqual([RELEASE]);
  });

  test('stay where that was not asked for, which is what a reuse of these rules gets', () => {
    expect(released([wrote('kubelet')])).toEqual([]);
    expect(released([wrote('kubelet')], 'keep')).toEqual([]);
  });

  test.each<[string, unknown, Record<string, string>?]>([
    ['somebody has applied it server-side', [wrote('kubelet'), wrote('queue-controller', 'Apply')]],
    ['kubectl has applied it', [wrote('kubectl')], { 'kubectl.kubernetes.io/last-applied-configuration': '{}' }],
    ['there are none', []],
    ['the field is missing', undefined],
    ['they are of no known shape', { manager: 'kubelet' }],
    ['an entry is of no known shape', [null, wrote('kubelet')]],
    ['an entry says another operation', [wrote('kubelet', 'Replace')]],
  ])('stay where %s', (_, managedFields, annotations = {}) => {
    expect(released(managedFields, 'release', annotations)).toEqual([]);
  });
});
