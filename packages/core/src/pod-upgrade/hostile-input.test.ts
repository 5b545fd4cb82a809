/** Pods and records that people, other controllers or accidents have written to. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { KRUISE, SIDESTEP } from '../api/keys.js';
import type { Pod } from '../api/kubernetes.js';
import { decidePodUpgrade } from './decide-pod-upgrade.js';
import { projectPod } from './project-pod.js';
import { readUpgradeRecord } from './upgrade-record.js';
import { upgradeTarget } from './upgrade-target.js';

const edited = () => new SimulatedPod(hotSet()).wait(3600).image({ mesh: 'mesh:v2' });
const lookAt = (pod: SimulatedPod, object: unknown) =>
  decidePodUpgrade({ target: upgradeTarget(pod.set), pod: object as Pod & { projected?: never }, now: pod.clock });

function annotated(changes: Record<string, string | undefined>) {
  const pod = edited();
  const annotations: Record<string, string | undefined> = { ...pod.pod.metadata.annotations, ...changes };
  for (const [key, value] of Object.entries(changes)) if (value === undefined) delete annotations[key];
  pod.pod.metadata = { ...pod.pod.metadata, annotations: annotations as Record<string, string> };
  return pod.look();
}

describe('a pod that cannot be read is left alone, with the reason', () => {
  test.each<[string, Record<string, string | undefined>, string]>([
    ['the hash annotation is no JSON', { [KRUISE.hash]: '{' }, 'AnnotationMalformed'],
    ['the hash annotation is a list', { [KRUISE.hash]: '[]' }, 'AnnotationMalformed'],
    ["the set's entry is a number", { [KRUISE.hash]: '{"mesh-set":3}' }, 'AnnotationMalformed'],
    ['the without-image hash is no JSON', { [KRUISE.hashWithoutImage]: 'x' }, 'AnnotationMalformed'],
    ['the in-place state is no JSON', { [KRUISE.inPlaceUpdateState]: 'x' }, 'AnnotationMalformed'],
    ['the pointer is no JSON', { [KRUISE.workingHotContainer]: 'mesh-1' }, 'AnnotationMalformed'],
    ['the pointer is missing', { [KRUISE.workingHotContainer]: undefined }, 'WorkingPointerMissing'],
    [
      'the pointer names another container',
      { [KRUISE.workingHotContainer]: '{"mesh":"app"}' },
      'WorkingPointerMissing',
    ],
    ['another set was injected', { [KRUISE.injectedList]: 'other' }, 'NotInjected'],
  ])('%s', (_, changes, reason) => {
    expect(annotated(changes)).toMatchObject({ state: 'Unmanaged', due: 'none', reason });
    expect(annotated(changes).patch).toBeUndefined();
  });

  test('a container of the pair is missing', () => {
    const pod = edited();
    pod.pod.spec.containers = pod.pod.spec.containers.filter(({ name }) => name !== 'mesh-2');
    expect(pod.look()).toMatchObject({ state: 'Unmanaged', reason: 'HotContainerMissing', container: 'mesh-2' });
  });

  test('both containers of the pair run the empty image', () => {
    const pod = edited();
    for (const container of pod.pod.spec.containers) if (container.name !== 'app') container.image = 'mesh:empty';
    expect(pod.look()).toMatchObject({ state: 'Unmanaged', reason: 'BothContainersEmpty' });
  });

  test('the working container runs the empty image and the other one does not', () => {
    const pod = edited();
    const [first, second] = pod.pod.spec.containers;
    Object.assign(first ?? {}, { image: 'mesh:empty' });
    Object.assign(second ?? {}, { image: 'mesh:v1' });
    expect(pod.look()).toMatchObject({ state: 'Unmanaged', reason: 'WorkingContainerEmpty' });
  });

  test('the pod is being deleted', () => {
    const pod = edited();
    pod.pod.metadata.deletionTimestamp = pod.clock.toISOString();
    expect(pod.look()).toMatchObject({ due: 'none', reason: 'PodTerminating' });
  });
});

describe('annotations from other times and hands', () => {
  test('the plain hashes of OpenKruise before 0.8 are understood', () => {
    const pod = edited();
    const { hash } = pod.stamp();
    const same = pod.set.metadata.annotations?.[KRUISE.hashWithoutImage];
    const decision = annotated({
      [KRUISE.hash]: JSON.stringify({ 'mesh-set': hash }),
      [KRUISE.hashWithoutImage]: JSON.stringify({ 'mesh-set': same }),
    });
    expect(decision.due).toBe('upgrade');
  });

  test('entries of other sets are carried over as they are', () => {
    const pod = edited();
    const map = JSON.parse(pod.annotation(KRUISE.hash) ?? '{}');
    const other = { hash: 'x', unknown: { deep: [1, 2] } };
    pod.pod.metadata.annotations = {
      ...pod.pod.metadata.annotations,
      [KRUISE.hash]: JSON.stringify({ ...map, 'a-set': other }),
      [KRUISE.workingHotContainer]: '{"envoy":"envoy-2","mesh":"mesh-1"}',
    };
    pod.run('upgrade');
    expect(JSON.parse(pod.annotation(KRUISE.hash) ?? '{}')['a-set']).toEqual(other);
    expect(pod.annotation(KRUISE.workingHotContainer)).toBe('{"envoy":"envoy-2","mesh":"mesh-2"}');
  });

  test('patchPodMetadata that cannot be applied stops the upgrade with the reason, and nothing is thrown', () => {
    const pod = edited();
    pod.pod.metadata.annotations = { ...pod.pod.metadata.annotations, note: 'no json' };
    pod.set.spec.patchPodMetadata = [{ annotations: { note: '{"a":1}' }, patchPolicy: 'MergePatchJson' }];
    expect(pod.look()).toMatchObject({ due: 'none', reason: 'AnnotationMalformed' });
  });

  test('patchPodMetadata is applied with the upgrade', () => {
    const pod = edited();
    pod.set.spec.patchPodMetadata = [{ annotations: { note: 'new' }, patchPolicy: 'Overwrite' }];
    pod.run('upgrade');
    expect(pod.annotation('note')).toBe('new');
  });

  test('an upgrade record of any content is read as far as it goes, never thrown over', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        const value = { [SIDESTEP.upgrade]: `{"mesh-set":${text}}` };
        expect(() => readUpgradeRecord(value, 'mesh-set')).not.toThrow();
        expect(() => annotated(value)).not.toThrow();
      }),
    );
  });

  test('a record with wrong parts keeps its right ones', () => {
    const text = JSON.stringify({
      'mesh-set': {
        phase: 'Failed',
        revision: 'r',
        attempt: 'three',
        since: 7,
        from: 1,
        to: 'b',
        containers: { a: 1 },
      },
    });
    expect(readUpgradeRecord({ [SIDESTEP.upgrade]: text }, 'mesh-set')).toEqual({
      phase: 'Failed',
      revision: 'r',
      attempt: 1,
      since: '1970-01-01T00:00:00Z',
      to: 'b',
      containers: {},
    });
  });
});

test('no pod of any shape makes a decision or a projection throw', () => {
  const pod = edited();
  const base = pod.pod;
  const keys = [
    KRUISE.hash,
    KRUISE.hashWithoutImage,
    KRUISE.inPlaceUpdateState,
    KRUISE.workingHotContainer,
    SIDESTEP.upgrade,
  ];
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom('{"mesh-set":{}}', '{"mesh":"mesh-2"}', '{"mesh-set":null}'),
  );
  const annotations = fc.dictionary(fc.constantFrom<string>(...keys, `${KRUISE.versionPrefix}mesh-1`), text);
  const image = fc.constantFrom('', 'mesh:empty', 'mesh:v1', 'mesh:v2', 'x@sha256:0');
  const status = fc.record(
    {
      name: fc.constantFrom('mesh-1', 'mesh-2', 'app'),
      ready: fc.boolean(),
      image,
      imageID: fc.string(),
      restartCount: fc.integer(),
      containerID: fc.string(),
      state: fc.constantFrom({}, { waiting: {} }, { waiting: { reason: 'toString' } }, { running: {} }),
    },
    { requiredKeys: ['name'] },
  );
  fc.assert(
    fc.property(
      annotations,
      fc.array(fc.tuple(fc.constantFrom('mesh-1', 'mesh-2', 'app'), image)),
      fc.array(status),
      (a, c, s) => {
        const containers = c.map(([name, each]) => ({ name, image: each }));
        const shaped = {
          ...base,
          metadata: { ...base.metadata, annotations: { ...base.metadata.annotations, ...a } },
          spec: { containers },
          status: { phase: 'Running', containerStatuses: s },
        };
        expect(lookAt(pod, shaped).reason).toMatch(/^[A-Z]/);
        expect(() => projectPod(shaped as Pod)).not.toThrow();
      },
    ),
    { numRuns: 500 },
  );
});
