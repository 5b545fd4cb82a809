import { describe, expect, test } from '@jest/globals';
import { KRUISE } from '../api/keys.js';
import type { Container, Pod } from '../api/kubernetes.js';
import type { SidecarContainer, SidecarSet, SidecarSetSpec } from '../api/sidecarset.js';
import type { InjectionInput } from './injection-plan.js';
import { injectPod } from './plan-injection.js';
import { SidecarSetIndex } from './sidecarset-index.js';

const NOW = new Date('2026-05-04T03:02:01.987Z');

function aPod(spec: Partial<Pod['spec']> = {}, annotations?: Record<string, string>): Pod {
  const metadata = { name: 'p', namespace: 'shop', labels: { app: 'shop' }, ...(annotations ? { annotations } : {}) };
  return { metadata, spec: { containers: [{ name: 'app', image: 'app:1' }], ...spec } };
}

function aSet(
  name: string,
  containers: SidecarContainer[],
  spec: Partial<SidecarSetSpec> = {},
  metadata = {},
): SidecarSet {
  const annotations = { [KRUISE.hash]: `hash-${name}`, [KRUISE.hashWithoutImage]: `bare-${name}` };
  return {
    metadata: { name, annotations, ...metadata },
    spec: { selector: { matchLabels: { app: 'shop' } }, containers, ...spec },
    status: { matchedPods: 0, updatedPods: 0, readyPods: 0, latestRevision: `${name}-1` },
  };
}

const before = 'BeforeAppContainer';

function given(pod: Pod, sets: SidecarSet[], more: Partial<InjectionInput> = {}): InjectionInput {
  const revisions = { byName: () => undefined, byCustomVersion: () => undefined };
  const sidecarSets = new SidecarSetIndex(sets);
  return { pod, namespace: 'shop', namespaceLabels: {}, sidecarSets, revisions, now: NOW, ...more };
}

const inject = (pod: Pod, sets: SidecarSet[], more?: Partial<InjectionInput>) => injectPod(given(pod, sets, more));
const namesIn = (list: Container[] | undefined) => list?.map(({ name }) => name);
const envOf = (container: Container | undefined) => container?.env?.map(({ name, value }) => `${name}=${value}`);

describe('what a sidecar becomes in a pod', () => {
  test('stands before or after the app as it asks, and carries none of the fields of a SidecarSet', () => {
    const sidecars = [
      { name: 'b', podInjectPolicy: before, upgradeStrategy: {}, shareVolumePolicy: { type: 'disabled' } },
      { name: 'z', podInjectPolicy: 'AfterAppContainer', newerField: { kept: true } },
      { name: 'a', podInjectPolicy: before },
    ];
    const { pod } = inject(aPod(), [aSet('s', sidecars)]);
    expect(namesIn(pod.spec.containers)).toEqual(['b', 'a', 'app', 'z']);
    const marker = { env: [{ name: 'IS_INJECTED', value: 'true' }] };
    expect(pod.spec.containers[0]).toEqual({ name: 'b', ...marker });
    expect(pod.spec.containers[3]).toEqual({ name: 'z', newerField: { kept: true }, ...marker });
  });

  test('bears the injection marker once, whatever it says itself', () => {
    const env = [
      { name: 'IS_INJECTED', value: 'no' },
      { name: 'A', value: '1' },
    ];
    const { pod } = inject(aPod(), [aSet('s', [{ name: 'm', env }])]);
    expect(envOf(pod.spec.containers.at(-1))).toEqual(['A=1', 'IS_INJECTED=true']);
  });

  test('init containers are sorted by name over all SidecarSets and go after those of the pod', () => {
    const sets = ['z', 'a'].map((name, n) =>
      aSet(`s${n}`, [], { initContainers: [{ name }, { name: `${name}${n}` }] }),
    );
    const { pod } = inject(aPod({ initContainers: [{ name: 'setup' }] }), sets);
    expect(namesIn(pod.spec.initContainers)).toEqual(['setup', 'a', 'a1', 'z', 'z0']);
  });

  test('a hot sidecar becomes a pair with versions, and other working containers stay listed', () => {
    const hot = { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'empty:1' };
    const mesh = { name: 'mesh', image: 'm:1', podInjectPolicy: before, upgradeStrategy: hot };
    const { pod } = inject(aPod({}, { [KRUISE.workingHotContainer]: '{"old":"old-2"}' }), [aSet('s', [mesh])]);
    expect(pod.spec.containers.map(({ name, image }) => [name, image])).toEqual([
      ['mesh-1', 'm:1'],
      ['mesh-2', 'empty:1'],
      ['app', 'app:1'],
    ]);
    expect(pod.metadata.annotations).toMatchObject({
      [KRUISE.workingHotContainer]: '{"mesh":"mesh-1","old":"old-2"}',
      'version.sidecarset.kruise.io/mesh-1': '1',
      'versionalt.sidecarset.kruise.io/mesh-1': '0',
      'version.sidecarset.kruise.io/mesh-2': '0',
      'versionalt.sidecarset.kruise.io/mesh-2': '1',
    });
    expect(pod.spec.containers[1]?.env?.map(({ name }) => name)).toEqual([
      'IS_INJECTED',
      'SIDECARSET_VERSION',
      'SIDECARSET_VERSION_ALT',
    ]);
  });

  test('an init container is a hot pair only when it keeps running', () => {
    const upgradeStrategy = { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'e' };
    const initContainers = [
      { name: 'a', upgradeStrategy },
      { name: 'b', restartPolicy: 'Always', upgradeStrategy },
    ];
    const { pod } = inject(aPod(), [aSet('s', [], { initContainers })]);
    expect(namesIn(pod.spec.initContainers)).toEqual(['a', 'b-1', 'b-2']);
    expect(JSON.parse(pod.metadata.annotations![KRUISE.hash]!).s.sidecarList).toEqual(['b']);
  });

  test('transfers envs by name, by label and by annotation; its own env wins and what is missing is left out', () => {
    const fieldRef = (fieldPath: string) => ({ sourceContainerNameFrom: { fieldRef: { fieldPath } } });
    const transferEnv = [
      { sourceContainerName: 'app', envName: 'B', envNames: ['A', 'NONE', 'B'] },
      { ...fieldRef("metadata.labels['app']"), envName: 'FROM_LABEL' },
      { ...fieldRef("metadata.annotations['main']"), envName: 'FROM_ANNOTATION' },
      { ...fieldRef('metadata.name'), envName: 'A' },
    ];
    const containers = [
      {
        name: 'app',
        env: [
          { name: 'A', value: 'app' },
          { name: 'B', value: '1' },
          { name: 'B', value: '2' },
        ],
      },
      {
        name: 'shop',
        env: [
          { name: 'FROM_LABEL', value: 'l' },
          { name: 'FROM_ANNOTATION', value: 'a' },
        ],
      },
    ];
    const mesh = { name: 'm', env: [{ name: 'A', value: 'own' }], transferEnv };
    const { pod } = inject(aPod({ containers }, { main: 'shop' }), [aSet('s', [mesh])]);
    expect(envOf(pod.spec.containers.at(-1))).toEqual([
      'A=own',
      'IS_INJECTED=true',
      'B=2',
      'FROM_LABEL=l',
      'FROM_ANNOTATION=a',
    ]);
  });

  test('shares mounts and devices of the app at free paths, with the env of their sub paths', () => {
    const containers = [
      {
        name: 'app',
        env: [{ name: 'POD', value: 'x' }],
        volumeMounts: [
          { name: 'd', mountPath: '/own' },
          { name: 'd', mountPath: '/sub', subPathExpr: 'a/$(POD)/$(NONE)' },
        ],
        volumeDevices: [
          { name: 'blk', devicePath: '/dev/a' },
          { name: 'blk', devicePath: '/own' },
        ],
      },
      { name: 'app2', volumeMounts: [{ name: 'other', mountPath: '/sub' }] },
      { name: 'old', env: [{ name: 'IS_INJECTED', value: 'true' }], volumeMounts: [{ name: 'x', mountPath: '/x' }] },
    ];
    const enabled = { type: 'enabled' };
    const mesh = {
      name: 'm',
      volumeMounts: [{ name: 'v', mountPath: '/own' }],
      shareVolumePolicy: enabled,
      shareVolumeDevicePolicy: enabled,
    };
    const { pod } = inject(aPod({ containers, volumes: [{ name: 'd' }] }), [
      aSet('s', [mesh], { volumes: [{ name: 'v' }, { name: 'unused' }] }),
    ]);
    const injected = pod.spec.containers.at(-1);
    expect(injected?.volumeMounts?.map(({ name, mountPath }) => `${name}:${mountPath}`)).toEqual(['v:/own', 'd:/sub']);
    expect(injected?.volumeDevices).toEqual([{ name: 'blk', devicePath: '/dev/a' }]);
    expect(envOf(injected)).toEqual(['IS_INJECTED=true', 'POD=x']);
    expect(pod.spec.volumes?.map(({ name }) => name)).toEqual(['d', 'v']);
  });

  test('brings volumes and pull secrets that the pod does not have yet', () => {
    const volumes = [
      { name: 'mine', emptyDir: {} },
      { name: 'both', emptyDir: {} },
    ];
    const mesh = {
      name: 'm',
      volumeMounts: [{ name: 'mine', mountPath: '/a' }],
      volumeDevices: [{ name: 'both', devicePath: '/b' }],
    };
    const pod = aPod({ volumes: [{ name: 'both', hostPath: {} }], imagePullSecrets: [{ name: 'two' }] });
    const set = aSet('s', [mesh], { volumes, imagePullSecrets: [{ name: 'one' }, { name: 'two' }, { name: 'one' }] });
    const { spec } = inject(pod, [set]).pod;
    expect(spec.volumes).toEqual([
      { name: 'both', hostPath: {} },
      { name: 'mine', emptyDir: {} },
    ]);
    expect(spec.imagePullSecrets).toEqual([{ name: 'two' }, { name: 'one' }]);
  });
});

describe('the annotations of an injected pod', () => {
  const set = aSet('s', [{ name: 'm' }]);

  test('record hash, revision, containers and time', () => {
    const { annotations = {} } = inject(aPod(), [set]).pod.metadata;
    const common = { updateTimestamp: '2026-05-04T03:02:01Z', sidecarSetName: 's', sidecarList: ['m'] };
    expect(JSON.parse(annotations[KRUISE.hash]!)).toEqual({
      s: { ...common, hash: 'hash-s', controllerRevision: 's-1' },
    });
    expect(JSON.parse(annotations[KRUISE.hashWithoutImage]!)).toEqual({ s: { ...common, hash: 'bare-s' } });
    expect(annotations[KRUISE.injectedList]).toBe('s');
  });

  test('name no revision as long as none is recorded', () => {
    const { status: _status, ...young } = set;
    const { annotations = {} } = inject(aPod(), [young]).pod.metadata;
    expect(annotations[KRUISE.hash]).not.toContain('controllerRevision');
  });

  test('are patched by policy', () => {
    const patchPodMetadata = [
      { annotations: { kept: 'new', added: '1' } },
      { annotations: { set: 'new' }, patchPolicy: 'Overwrite' },
      { annotations: { json: '{"b":2}', fresh: 'as is' }, patchPolicy: 'MergePatchJson' },
      { annotations: { kept: 'never' }, patchPolicy: 'Bogus' },
    ];
    const pod = aPod({}, { kept: 'old', set: 'old', json: '{"a":1}' });
    const { annotations } = inject(pod, [aSet('s', [{ name: 'm' }], { patchPodMetadata })]).pod.metadata;
    expect(annotations).toMatchObject({ kept: 'old', added: '1', set: 'new', json: '{"a":1,"b":2}', fresh: 'as is' });
  });

  test('that cannot be merged refuse the pod', () => {
    const patchPodMetadata = [{ annotations: { json: '{}' }, patchPolicy: 'MergePatchJson' }];
    const refusing = aSet('s', [{ name: 'm' }], { patchPodMetadata });
    expect(() => inject(aPod({}, { json: 'no json' }), [refusing])).toThrow('Invalid JSON Document');
  });

  test('are all that a SidecarSet without containers writes', () => {
    const patchPodMetadata = [{ annotations: { a: '1' } }];
    const { plan } = inject(aPod(), [aSet('s', [], { patchPodMetadata })]);
    expect(plan.patch).toEqual([{ op: 'add', path: '/metadata/annotations', value: { a: '1' } }]);
  });
});
