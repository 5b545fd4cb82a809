import { expect, jest, test } from '@jest/globals';
import { KRUISE, type Pod, sidecarSetHash } from '@sidestep/core';
import { isConflict } from '@sidestep/kube';
import { aPod, aSidecarSet } from '@sidestep/testkit';
import { until } from '../platform/service.js';
import { PODS, SIDECARSETS } from '../world/resources.js';
import { describeOnReal, refusalOf, SIDECARSETS_V1ALPHA1 } from './real-cluster.js';

jest.setTimeout(600_000);

const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };
const names = (pod: Pod): string[] => pod.spec.containers.map(({ name }) => name);
/** Selects the pods of the namespace of its name, by their label. */
const setFor = (app: string, name = app) => aSidecarSet(name).selecting({ app });
const podIn = (namespace: string, app = namespace) => aPod('web').inNamespace(namespace).labelled({ app });
const unlessConflict = (error: unknown): undefined => {
  if (!isConflict(error)) throw error;
};

await describeOnReal('what the webhooks answer', (cluster) => {
  test('a SidecarSet is stored with its defaults and its hashes', async () => {
    const set = setFor('defaults').withSidecar('mesh', 'mesh:1').build();
    const stored = await cluster.createSet(set);
    expect(stored.spec).toMatchObject({
      containers: [
        {
          name: 'mesh',
          imagePullPolicy: 'IfNotPresent',
          podInjectPolicy: 'BeforeAppContainer',
          shareVolumePolicy: { type: 'disabled' },
          terminationMessagePath: '/dev/termination-log',
          upgradeStrategy: { upgradeType: 'ColdUpgrade' },
        },
      ],
      revisionHistoryLimit: 10,
      updateStrategy: { type: 'RollingUpdate', maxUnavailable: 1, partition: 0 },
    });
    expect(stored.metadata.annotations?.[KRUISE.hash]).toBe(sidecarSetHash(stored));
    expect(stored.metadata.annotations?.[KRUISE.hashWithoutImage]).toMatch(/^[0-9a-z]{10,}$/);
  });

  test('each version of a SidecarSet can be read as the other, and is written back without a loss', async () => {
    const { spec } = setFor('old').withSidecar('mesh', 'mesh:1').build();
    const old = { apiVersion: 'apps.kruise.io/v1alpha1', kind: 'SidecarSet', metadata: { name: 'old' } };
    const made = await cluster.api.create(SIDECARSETS_V1ALPHA1, { ...old, spec: { ...spec, namespace: 'shop' } });
    const seen = await cluster.set('old');
    expect(seen.apiVersion).toBe('apps.kruise.io/v1beta1');
    expect(seen.spec).not.toHaveProperty('namespace');
    expect(seen.spec.namespaceSelector).toEqual({ matchLabels: { 'kubernetes.io/metadata.name': 'shop' } });
    // The planner writes the status of a new SidecarSet, so the whole object may have to be read again.
    await until(async () => {
      const { metadata, ...rest } = await cluster.set('old');
      const relabelled = { ...rest, metadata: { ...metadata, labels: { seen: 'yes' } } };
      return cluster.api.replace(SIDECARSETS, relabelled).catch(unlessConflict);
    }, 'the SidecarSet to be written back');
    const back = await cluster.api.get(SIDECARSETS_V1ALPHA1, { name: 'old' });
    expect(back.metadata.labels).toEqual({ seen: 'yes' });
    expect(back.spec).toEqual(made.spec);
    expect(back.spec).toMatchObject({ namespace: 'shop' });
  });

  test('a SidecarSet of the newer version is shown in the older one', async () => {
    const namespaceSelector = { matchLabels: { team: 'blue' } };
    const set = setFor('newer').withSidecar('mesh', 'mesh:1').withSpec({ namespaceSelector }).build();
    const made = await cluster.createSet(set);
    const shown = await cluster.api.get(SIDECARSETS_V1ALPHA1, { name: 'newer' });
    expect(shown.apiVersion).toBe('apps.kruise.io/v1alpha1');
    expect(shown.spec).toMatchObject({ namespaceSelector, containers: made.spec.containers as object[] });
    const { items } = await cluster.api.list(SIDECARSETS_V1ALPHA1);
    expect(new Set(items.map(({ metadata }) => metadata.name))).toEqual(new Set(['defaults', 'newer', 'old']));
  });

  test('a pod gets its sidecars before it is stored', async () => {
    const namespace = await cluster.newNamespace();
    await cluster.createSet(setFor(namespace, 'inject').withSidecar('mesh', 'mesh:1').build());
    const made = await cluster.createPod(podIn(namespace).build(), (pod) => names(pod).length > 1);
    const stored = await cluster.pod(namespace, 'web');
    expect(stored.metadata.uid).toBe(made.metadata.uid);
    expect(names(stored)).toEqual(['mesh', 'app']);
    expect(stored.metadata.annotations?.[KRUISE.injectedList]).toBe('inject');
    expect(JSON.parse(stored.metadata.annotations![KRUISE.hash]!)).toMatchObject({
      inject: { hash: (await cluster.set('inject')).metadata.annotations![KRUISE.hash] },
    });
    expect(stored.spec.containers[0]!.env).toContainEqual({ name: 'IS_INJECTED', value: 'true' });
  });

  test('a hot sidecar is injected as a pair, one of which is idle', async () => {
    const namespace = await cluster.newNamespace();
    const set = setFor(namespace, 'pair').withHotSidecar('mesh', 'mesh:1', 'empty:1').build();
    await cluster.createSet(set);
    const pod = await cluster.createPod(podIn(namespace).build(), (made) => names(made).length > 1);
    expect(pod.spec.containers.slice(0, 2).map(({ name, image }) => [name, image])).toEqual([
      ['mesh-1', 'mesh:1'],
      ['mesh-2', 'empty:1'],
    ]);
    expect(pod.metadata.annotations?.[KRUISE.workingHotContainer]).toBe('{"mesh":"mesh-1"}');
  });

  test('what may not be stored is refused with 422 and the message of the field', async () => {
    const refused = await refusalOf(cluster.createSet(setFor('refused').withSidecar('mesh', '').build()));
    expect(refused).toEqual({
      status: 422,
      message: 'admission webhook "vsidecarset.kb.io" denied the request: spec.containers[0].image: Required value',
    });
    expect((await refusalOf(cluster.set('refused'))).status).toBe(404);
  });

  test('a change that may not be made is refused, and the SidecarSet stays', async () => {
    await cluster.createSet(setFor('stays').withSidecar('mesh', 'mesh:1').build());
    const patch = [{ op: 'replace', path: '/spec/updateStrategy/maxUnavailable', value: 'many' }];
    const refused = await refusalOf(cluster.api.patch(SIDECARSETS, { name: 'stays' }, patch, { type: 'json' }));
    expect(refused).toMatchObject({ status: 422, message: expect.stringContaining('maxUnavailable') });
    expect((await cluster.set('stays')).spec.updateStrategy?.maxUnavailable).toBe(1);
  });

  test('the selector of namespaces decides by their labels', async () => {
    const [blue, red] = [await cluster.newNamespace({ team: 'b' }), await cluster.newNamespace({ team: 'r' })];
    const namespaceSelector = { matchLabels: { team: 'b' } };
    await cluster.createSet(setFor('both').withSidecar('mesh', 'mesh:1').withSpec({ namespaceSelector }).build());
    const injected = await cluster.createPod(podIn(blue, 'both').build(), (pod) => names(pod).length > 1);
    expect(names(injected)).toEqual(['mesh', 'app']);
    expect(names(await cluster.createPod(podIn(red, 'both').build()))).toEqual(['app']);
  });

  test('annotations are patched into pods only once the whitelist allows them', async () => {
    const namespace = await cluster.newNamespace();
    const patchPodMetadata = [{ annotations: { 'team/note': 'by-sidestep' }, patchPolicy: 'Retain' }];
    const build = setFor(namespace, 'noted').withSidecar('mesh', 'mesh:1');
    const set = build.withSpec({ patchPodMetadata }).build();
    expect(await refusalOf(cluster.createSet(set))).toMatchObject({
      status: 422,
      message: expect.stringContaining('SidecarSet patch metadata whitelist not found'),
    });
    const whitelist = { rules: [{ allowedAnnotationKeyExprs: ['^team/.*$'] }] };
    await cluster.api.create(CONFIG_MAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: KRUISE.whitelistConfigMap, namespace: 'kruise-system' },
      data: { [KRUISE.whitelistConfigMapKey]: JSON.stringify(whitelist) },
    });
    // The webhook hears of it through its watch.
    await until(() => cluster.createSet(set).catch(() => undefined), 'the whitelist to be heard of');
    const pod = await cluster.createPod(podIn(namespace).build(), (one) => names(one).length > 1);
    expect(pod.metadata.annotations?.['team/note']).toBe('by-sidestep');
  });

  test('a pod of the control plane’s own namespace is not touched', async () => {
    await cluster.platform.apiServer.createNamespace('kruise-system');
    const namespace = await cluster.newNamespace();
    await cluster.createSet(setFor('everywhere').withSidecar('mesh', 'mesh:1').build());
    await cluster.createPod(podIn(namespace, 'everywhere').build(), (pod) => names(pod).length > 1);
    const secure = {
      name: 'app',
      image: 'app:1',
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    };
    const made = await cluster.api.create(PODS, podIn('kruise-system', 'everywhere').withContainers(secure).build());
    expect(names(made as unknown as Pod)).toEqual(['app']);
  });
});
