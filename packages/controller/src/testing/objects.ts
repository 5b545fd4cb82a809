import { createHash } from 'node:crypto';
import {
  defaultSidecarSet,
  type FullPod,
  injectPod,
  type Pod,
  type SidecarSet,
  SidecarSetIndex,
  withHashes,
} from '@sidestep/core';

/** A defaulted SidecarSet with a hot sidecar `mesh`, as an API server would store it. */
export const aSidecarSet = (image: string, spec: Partial<SidecarSet['spec']> = {}, name = 'mesh-set'): SidecarSet => {
  const container = {
    name: 'mesh',
    image,
    upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'empty:v1' },
  };
  return withHashes(
    defaultSidecarSet({
      apiVersion: 'apps.kruise.io/v1beta1',
      kind: 'SidecarSet',
      metadata: { name, uid: `uid-of-${name}`, generation: 1, resourceVersion: '1', annotations: {} },
      spec: { selector: { matchLabels: { app: 'shop' } }, containers: [container], ...spec },
    }),
  );
};

/** The same SidecarSet after an edit of its sidecar's image. */
export const withImage = (sidecarSet: SidecarSet, image: string): SidecarSet => {
  const containers = (sidecarSet.spec.containers ?? []).map((container) => ({ ...container, image }));
  const generation = (sidecarSet.metadata.generation ?? 0) + 1;
  const metadata = { ...sidecarSet.metadata, generation };
  return withHashes({ ...sidecarSet, metadata, spec: { ...sidecarSet.spec, containers } });
};

/** The same SidecarSet after an edit of its strategy. */
export const withStrategy = (
  sidecarSet: SidecarSet,
  strategy: NonNullable<SidecarSet['spec']['updateStrategy']>,
): SidecarSet => {
  const metadata = { ...sidecarSet.metadata, generation: (sidecarSet.metadata.generation ?? 0) + 1 };
  const updateStrategy = { ...sidecarSet.spec.updateStrategy, ...strategy };
  return withHashes({ ...sidecarSet, metadata, spec: { ...sidecarSet.spec, updateStrategy } });
};

/** A running, ready pod that was injected with these SidecarSets. */
export const aPod = (name: string, sidecarSets: SidecarSet[], now: Date): FullPod => {
  const bare: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: `uid-of-${name}`, labels: { app: 'shop' }, creationTimestamp: time(now) },
    spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'shop:1' }] },
  };
  const { pod } = injectPod({
    pod: bare,
    namespace: 'shop',
    namespaceLabels: {},
    sidecarSets: new SidecarSetIndex(sidecarSets),
    revisions: { byName: () => undefined, byCustomVersion: () => undefined },
    now,
  });
  return acknowledged(pod as FullPod, now);
};

/** What a kubelet makes of a pod: every container runs what the spec says. */
export const acknowledged = (pod: FullPod, now: Date, notReady: readonly string[] = []): FullPod => {
  const before = pod.status?.containerStatuses ?? [];
  const containerStatuses = pod.spec.containers.map(({ name, image = '' }) => {
    const old = before.find((status) => status.name === name);
    const ready = !notReady.includes(name);
    if (old?.image === image && old.ready === ready) return old;
    const restartCount = old === undefined ? 0 : (old.restartCount ?? 0) + 1;
    const containerID = `containerd://${idOf(`${pod.metadata.uid}/${name}/${restartCount}`)}`;
    const state = ready ? { running: { startedAt: time(now) } } : { waiting: { reason: 'ErrImagePull' } };
    return { name, image, imageID: `id-of-${image}`, containerID, ready, started: ready, restartCount, state };
  });
  const status = containerStatuses.every(({ ready }) => ready) ? 'True' : 'False';
  const conditions = [
    ...(pod.status?.conditions ?? []).filter(({ type }) => type !== 'Ready' && type !== 'ContainersReady'),
    { type: 'Ready', status, lastTransitionTime: time(now) },
    { type: 'ContainersReady', status, lastTransitionTime: time(now) },
  ];
  return { ...pod, status: { ...pod.status, phase: 'Running', conditions, containerStatuses } };
};

const idOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const time = (now: Date): string => now.toISOString().replace(/\.\d+Z$/, 'Z');
