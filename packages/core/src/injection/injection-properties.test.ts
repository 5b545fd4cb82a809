import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Container, Pod } from '../api/kubernetes.js';
import type { SidecarContainer, SidecarSet } from '../api/sidecarset.js';
import type { InjectionInput } from './injection-plan.js';
import { injectPod, planInjection } from './plan-injection.js';
import { SidecarSetIndex } from './sidecarset-index.js';

const path = fc.constantFrom('/a', '/b', '/c');
const volume = fc.constantFrom('v1', 'v2', 'v3');
const env = fc.array(
  fc.record({ name: fc.constantFrom('A', 'B', 'IS_INJECTED'), value: fc.constantFrom('true', 'x') }),
  {
    maxLength: 3,
  },
);
const mounts = fc.array(fc.record({ name: volume, mountPath: path }), { maxLength: 3 });
const unknown = fc.dictionary(fc.constantFrom('newer', 'field~/x'), fc.jsonValue(), { maxKeys: 2 });
const containerName = fc.constantFrom('app', 'app2', 'side', 'mesh-1', 'x');

const container: fc.Arbitrary<Container> = fc
  .record({ name: containerName, image: fc.constant('app:1'), env, volumeMounts: mounts, unknown })
  .map(({ unknown: more, ...known }) => ({ ...more, ...known }));

const sidecar: fc.Arbitrary<SidecarContainer> = fc.record(
  {
    name: fc.constantFrom('mesh', 'side', 'x', 'log'),
    image: fc.constant('m:1'),
    env,
    volumeMounts: mounts,
    podInjectPolicy: fc.constantFrom('BeforeAppContainer', 'AfterAppContainer'),
    shareVolumePolicy: fc.record({ type: fc.constantFrom('enabled', 'disabled') }),
    transferEnv: fc.constant([{ sourceContainerName: 'app', envNames: ['A', 'B'] }]),
    upgradeStrategy: fc.constantFrom({}, { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'e:1' }),
    restartPolicy: fc.constantFrom('Always'),
  },
  { requiredKeys: ['name', 'env'] },
);

const byName = { selector: ({ name }: { name: string }) => name };
const sidecarSet = fc.record({
  containers: fc.uniqueArray(sidecar, { ...byName, maxLength: 3 }),
  initContainers: fc.uniqueArray(sidecar, { ...byName, maxLength: 2 }),
  volumes: fc.uniqueArray(fc.record({ name: volume, emptyDir: fc.constant({}) }), { ...byName, maxLength: 3 }),
  imagePullSecrets: fc.array(fc.record({ name: volume }), { maxLength: 2 }),
  patchPodMetadata: fc.constantFrom([], [{ annotations: { 'a/b~c': '1' }, patchPolicy: 'Overwrite' }]),
});

const pod: fc.Arbitrary<Pod> = fc
  .record({
    containers: fc.uniqueArray(container, { ...byName, minLength: 1, maxLength: 3 }),
    initContainers: fc.option(fc.uniqueArray(container, { ...byName, maxLength: 2 }), { nil: undefined }),
    volumes: fc.option(fc.uniqueArray(fc.record({ name: volume }), byName), { nil: undefined }),
    annotations: fc.option(fc.constant({ 'a/b~c': 'old', mine: 'x' }), { nil: undefined }),
    unknown,
  })
  .map(({ annotations, unknown: more, ...spec }) => ({
    kind: 'Pod',
    metadata: { name: 'p', labels: { app: 'shop' }, ...(annotations ? { annotations } : {}), ...more },
    spec: JSON.parse(JSON.stringify({ ...more, ...spec })) as Pod['spec'],
    ...more,
  }));

const inputs = fc.record({ pod, sets: fc.array(sidecarSet, { maxLength: 3 }) }).map(({ pod: created, sets }) => {
  const sidecarSets = sets.map((spec, n): SidecarSet => {
    return { metadata: { name: `s${n}` }, spec: { selector: { matchLabels: { app: 'shop' } }, ...spec } };
  });
  const revisions = { byName: () => undefined, byCustomVersion: () => undefined };
  const sidecarSetIndex = new SidecarSetIndex(sidecarSets);
  const now = new Date(0);
  return { pod: created, namespace: 'shop', namespaceLabels: {}, sidecarSets: sidecarSetIndex, revisions, now };
});

const isMarked = ({ env: variables }: Container): boolean =>
  variables?.find(({ name }) => name === 'IS_INJECTED')?.value === 'true';

/** An applier of its own, so that the patch is not judged by the code that made it. */
function applied(input: InjectionInput): Pod {
  const document = JSON.parse(JSON.stringify(input.pod));
  for (const operation of planInjection(input).patch) {
    const tokens = operation.path
      .split('/')
      .slice(1)
      .map((token) => token.replace(/~1/g, '/').replace(/~0/g, '~'));
    const last = tokens.pop()!;
    const parent = tokens.reduce((node, token) => node[token], document);
    const value = JSON.parse(JSON.stringify((operation as { value?: unknown }).value ?? null));
    if (Array.isArray(parent) && operation.op === 'add')
      parent.splice(last === '-' ? parent.length : Number(last), 0, value);
    else parent[last] = value;
  }
  return document;
}

describe('every injection', () => {
  test('is a patch that gives the planned pod, and never changes its input', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const before = JSON.stringify(input.pod);
        expect(JSON.parse(JSON.stringify(injectPod(input).pod))).toEqual(applied(input));
        expect(JSON.stringify(input.pod)).toBe(before);
      }),
      { numRuns: 500 },
    );
  });

  test('gives the same when asked again, also for the pod that came out of it', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const first = injectPod(input);
        expect(injectPod(input)).toEqual(first);
        const again = injectPod({ ...input, pod: first.pod });
        expect(again.pod.spec.volumes).toEqual(first.pod.spec.volumes);
        const names = (list: Container[] | undefined) => list?.map(({ name }) => name);
        expect(names(again.pod.spec.containers)).toEqual(names(first.pod.spec.containers));
        expect(names(again.pod.spec.initContainers)).toEqual(names(first.pod.spec.initContainers));
        expect(again.pod.metadata).toEqual(first.pod.metadata);
      }),
      { numRuns: 500 },
    );
  });

  test('leaves the containers of the pod as they are and in their order, unless one of a sidecar’s name', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { spec } = injectPod(input).pod;
        for (const list of ['containers', 'initContainers'] as const) {
          const own = input.pod.spec[list] ?? [];
          const kept = (spec[list] ?? []).filter((each) => own.includes(each));
          const replaced = own.filter((each) => !kept.includes(each)).map(({ name }) => name);
          expect(kept).toEqual(own.filter((each) => kept.includes(each)));
          expect((spec[list] ?? []).filter(({ name }) => replaced.includes(name)).every(isMarked)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('marks every container that it brings, once, and carries unknown fields of the pod along', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const { pod: injected } = injectPod(input);
        const brought = injected.spec.containers.filter((each) => !input.pod.spec.containers.includes(each));
        for (const { env: variables } of brought) {
          expect(variables?.filter(({ name }) => name === 'IS_INJECTED')).toEqual([
            { name: 'IS_INJECTED', value: 'true' },
          ]);
        }
        expect(injected.newer).toEqual(input.pod.newer);
        expect(injected.spec.newer).toEqual(input.pod.spec.newer);
        expect(injected.metadata['field~/x']).toEqual(input.pod.metadata['field~/x']);
      }),
      { numRuns: 500 },
    );
  });
});
