/** SidecarSets for tests, and pods as admission makes them. */
import {
  type Container,
  hotPairNames,
  isHotUpgrade,
  KRUISE,
  type Pod,
  type SidecarSet,
  sidecarSetHash,
  sidecarSetHashWithoutImage,
} from '../src/index.js';

/** A SidecarSet with OpenKruise's annotations, as an API server would hold it. */
export function storedSet(set: SidecarSet, resourceVersion: number): SidecarSet {
  const hash = sidecarSetHash(set);
  const annotations = {
    ...set.metadata.annotations,
    [KRUISE.hash]: hash,
    [KRUISE.hashWithoutImage]: sidecarSetHashWithoutImage(set),
  };
  const status = {
    matchedPods: 0,
    updatedPods: 0,
    readyPods: 0,
    ...set.status,
    latestRevision: `r-${hash.slice(0, 6)}`,
  };
  return {
    ...set,
    metadata: { ...set.metadata, resourceVersion: String(resourceVersion), generation: resourceVersion, annotations },
    status,
  };
}

/** A set with one hot sidecar `mesh`. */
export const hotSet = (image = 'mesh:v1', strategy: SidecarSet['spec']['updateStrategy'] = {}): SidecarSet => ({
  metadata: { name: 'mesh-set' },
  spec: {
    selector: { matchLabels: { app: 'shop' } },
    updateStrategy: { maxUnavailable: 1, ...strategy },
    containers: [
      { name: 'mesh', image, upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'mesh:empty' } },
    ],
  },
});

/** A set with one plain sidecar `log`. */
export const coldSet = (image = 'log:v1', strategy: SidecarSet['spec']['updateStrategy'] = {}): SidecarSet => ({
  metadata: { name: 'log-set' },
  spec: {
    selector: { matchLabels: { app: 'shop' } },
    updateStrategy: { maxUnavailable: 1, ...strategy },
    containers: [{ name: 'log', image }],
  },
});

/** The same set with other images by container name. */
export function withImages(set: SidecarSet, images: Record<string, string>): SidecarSet {
  const containers = (set.spec.containers ?? []).map((c) => ({ ...c, image: images[c.name] ?? c.image ?? '' }));
  return { ...set, spec: { ...set.spec, containers } };
}

/** The same set with another updateStrategy. */
export const withStrategy = (set: SidecarSet, strategy: SidecarSet['spec']['updateStrategy']): SidecarSet => ({
  ...set,
  spec: { ...set.spec, updateStrategy: { ...set.spec.updateStrategy, ...strategy } },
});

/** A pod that was injected with the set and has not started yet. */
export function injectedPod(set: SidecarSet, name: string, resourceVersion: string): Pod {
  const setName = set.metadata.name ?? '';
  const containers: Container[] = [];
  const working: Record<string, string> = {};
  const annotations: Record<string, string> = {};
  for (const container of set.spec.containers ?? []) {
    const { image = '' } = container;
    if (!isHotUpgrade(container)) {
      containers.push({ name: container.name, image });
      continue;
    }
    const [first, second] = hotPairNames(container.name);
    containers.push({ name: first, image });
    containers.push({ name: second, image: container.upgradeStrategy?.hotUpgradeEmptyImage ?? '' });
    working[container.name] = first;
    annotations[`${KRUISE.versionPrefix}${first}`] = '1';
    annotations[`${KRUISE.versionAltPrefix}${first}`] = '0';
    annotations[`${KRUISE.versionPrefix}${second}`] = '0';
    annotations[`${KRUISE.versionAltPrefix}${second}`] = '1';
  }
  containers.push({ name: 'app', image: 'app:1' });
  const entry = (hash: string | undefined, more: object) =>
    JSON.stringify({ [setName]: { updateTimestamp: '2026-03-01T09:00:00Z', hash, sidecarSetName: setName, ...more } });
  const stored = set.metadata.annotations ?? {};
  annotations[KRUISE.hash] = entry(stored[KRUISE.hash], { controllerRevision: set.status?.latestRevision });
  annotations[KRUISE.hashWithoutImage] = entry(stored[KRUISE.hashWithoutImage], {});
  annotations[KRUISE.injectedList] = setName;
  if (Object.keys(working).length > 0) annotations[KRUISE.workingHotContainer] = JSON.stringify(working);
  const metadata = {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    resourceVersion,
    creationTimestamp: '2026-03-01T09:00:00Z',
    labels: { app: 'shop' },
    annotations,
  };
  return { metadata, spec: { nodeName: 'node-1', containers } };
}

/** Two tags `x:v1` and `x:v1-alias` are one image; an image that is named by its digest has that. */
export function imageIdOf(image: string): string {
  const digest = /@sha256:([0-9a-f]{64})$/.exec(image)?.[1];
  if (digest !== undefined) return digest;
  const plain = image.replace(/-alias$/, '');
  let hash = 7;
  for (const character of plain) hash = (hash * 31 + character.charCodeAt(0)) % 0xffffffff;
  return hash.toString(16).padStart(64, '0');
}
