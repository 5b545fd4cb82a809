import { describe, expect, test } from '@jest/globals';
import { coldSet, hotSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { applyJsonPatch } from '../injection/apply-json-patch.js';
import { decidePodUpgrade } from './decide-pod-upgrade.js';
import { type PodStrategicPatch, strategicPatchOf } from './strategic-patch.js';
import type { FullPod, UpgradePhase } from './types.js';
import { upgradeTarget } from './upgrade-target.js';

/** As an API server merges it: annotations by key, containers by name, the books as a whole. */
const merged = (pod: FullPod, { metadata, spec = {} }: PodStrategicPatch): object => {
  const lists = Object.entries(spec).map(([field, changes]) => {
    const items = (pod.spec as unknown as Record<string, { name: string }[]>)[field] ?? [];
    return [field, items.map((item) => ({ ...item, ...changes.find(({ name }) => name === item.name) }))];
  });
  const annotations = { ...pod.metadata.annotations, ...(metadata.annotations as object) };
  return {
    ...pod,
    metadata: { ...pod.metadata, ...metadata, annotations },
    spec: { ...pod.spec, ...Object.fromEntries(lists) },
  };
};

/** Both forms of the write that is due. */
const forms = (pod: SimulatedPod, phase: UpgradePhase, managedFields?: object[]) => {
  const whole = { ...pod.pod, metadata: { ...pod.pod.metadata, managedFields } } as FullPod;
  const decision = decidePodUpgrade({
    target: upgradeTarget(pod.set),
    pod: whole,
    now: pod.clock,
    managedFields: managedFields === undefined ? 'keep' : 'release',
  });
  expect(decision.due).toBe(phase);
  const patch = decision.patch ?? [];
  return { whole, patch, strategic: strategicPatchOf(whole, patch) };
};

const hot = (image = 'mesh:v2'): SimulatedPod => new SimulatedPod(hotSet('mesh:v1')).wait(3600).image({ mesh: image });
const migrated = (): SimulatedPod => {
  const pod = hot();
  pod.run('upgrade');
  return pod.wait(2).kubelet();
};
const failed = (): SimulatedPod => {
  const pod = hot('mesh:nopull').strategy({ failurePolicy: {} });
  pod.run('upgrade');
  return pod.wait(2).kubelet();
};
const cold = (): SimulatedPod => new SimulatedPod(coldSet('log:v1')).wait(3600).image({ log: 'log:v2' });

describe('the strategic merge patch of a write', () => {
  test.each([
    ['the begin of a hot pod', hot, 'upgrade'],
    ['its reset', migrated, 'reset'],
    ['its abort', failed, 'abort'],
    ['the upgrade of a plain sidecar', cold, 'upgrade'],
  ] as const)('comes to the same pod as the JSON Patch: %s', (_, of, phase) => {
    const { whole, patch, strategic } = forms(of(), phase);
    expect(patch.length).toBeGreaterThan(1);
    expect(merged(whole, strategic)).toEqual(applyJsonPatch(whole, patch));
  });

  test('writes the resourceVersion that was read, so that a stale one is refused', () => {
    const { whole, strategic } = forms(hot(), 'upgrade');
    expect(strategic.metadata.resourceVersion).toBe(whole.metadata.resourceVersion);
  });

  test('takes the books of managedFields away with one empty entry', () => {
    const { whole, patch, strategic } = forms(hot(), 'upgrade', [{ manager: 'kubelet', operation: 'Update' }]);
    expect(strategic.metadata.managedFields).toEqual([{}]);
    expect(merged(whole, strategic)).toEqual(applyJsonPatch(whole, patch));
  });

  test('names only the containers whose image it changes', () => {
    const { strategic } = forms(hot(), 'upgrade');
    expect(strategic.spec).toEqual({ containers: [{ name: 'mesh-2', image: 'mesh:v2' }] });
  });

  test('names native sidecars among the init containers, where they are', () => {
    const pod = { spec: { containers: [{ name: 'app' }], initContainers: [{ name: 'setup' }, { name: 'mesh' }] } };
    const patch = [{ op: 'replace' as const, path: '/spec/initContainers/1/image', value: 'mesh:v2' }];
    expect(strategicPatchOf(pod as FullPod, patch)).toEqual({
      metadata: {},
      spec: { initContainers: [{ name: 'mesh', image: 'mesh:v2' }] },
    });
  });

  test('names containers in the order of the pod, whatever the order of the changes: another one would move them', () => {
    const pod = {
      spec: {
        containers: [{ name: 'log' }, { name: 'app' }, { name: 'mesh-1' }],
        initContainers: [{ name: 'dns' }, { name: 'vpn' }],
      },
    };
    const image = (list: string, index: number) => ({
      op: 'replace' as const,
      path: `/spec/${list}/${index}/image`,
      value: `${index}:v2`,
    });
    const changes = [
      image('containers', 2),
      image('initContainers', 1),
      image('containers', 0),
      image('initContainers', 0),
    ];
    expect(strategicPatchOf(pod as FullPod, changes).spec).toEqual({
      containers: [
        { name: 'log', image: '0:v2' },
        { name: 'mesh-1', image: '2:v2' },
      ],
      initContainers: [
        { name: 'dns', image: '0:v2' },
        { name: 'vpn', image: '1:v2' },
      ],
    });
  });

  test('is in the order of the pod also where a SidecarSet names a plain sidecar before a hot one', () => {
    const hotFirst = hotSet('mesh:v1');
    const both = {
      ...hotFirst,
      spec: {
        ...hotFirst.spec,
        containers: [...(coldSet('log:v1').spec.containers ?? []), ...(hotFirst.spec.containers ?? [])],
      },
    };
    const pod = new SimulatedPod(both).wait(3600).image({ log: 'log:v2', mesh: 'mesh:v2' });
    const { whole, strategic } = forms(pod, 'upgrade');
    const named = strategic.spec?.containers?.map(({ name }) => name) ?? [];
    expect(named).toHaveLength(2);
    expect(named).toEqual(whole.spec.containers.map(({ name }) => name).filter((name) => named.includes(name)));
  });

  test('knows annotations whose names are escaped in a JSON Patch', () => {
    const patch = [{ op: 'add' as const, path: '/metadata/annotations/team.io~1a~0b', value: 'x' }];
    expect(strategicPatchOf(hot().pod as FullPod, patch)).toEqual({
      metadata: { annotations: { 'team.io/a~b': 'x' } },
    });
  });

  test.each([
    { op: 'remove' as const, path: '/metadata/annotations/x' },
    { op: 'replace' as const, path: '/spec/containers/9/image', value: 'x' },
    { op: 'replace' as const, path: '/spec/nodeName', value: 'x' },
    { op: 'replace' as const, path: '/status/phase', value: 'x' },
  ])('refuses to guess at what no decision says: $op $path', (operation) => {
    expect(() => strategicPatchOf(hot().pod as FullPod, [operation])).toThrow(TypeError);
  });
});
