import { containerNamesInPod, hotPairNames, isHotUpgrade, isNativeSidecar } from '../api/container-kinds.js';
import { KRUISE, SIDESTEP } from '../api/keys.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import type { SidecarContainer, SidecarSet, SidecarSetSpec } from '../api/sidecarset.js';
import { sidecarSetHash, sidecarSetHashWithoutImage } from '../revision/hash.js';
import type { HotSidecar, PlainSidecar, UpgradeTarget } from './types.js';

/**
 * Says what the pods of a SidecarSet should become. Build it once per version of the SidecarSet; every pod is held against it.
 *
 * @param sidecarSet with its hash annotations, as stored; after a rollback the one from `rolloutTarget`
 * @param revisions its ControllerRevisions; without them a pod whose only other difference is an empty image is recognised by
 *   the pod's own empty image alone
 */
export function upgradeTarget(sidecarSet: SidecarSet, revisions: readonly ControllerRevision[] = []): UpgradeTarget {
  const { metadata, spec } = sidecarSet;
  const containers = spec.containers ?? [];
  const annotations = metadata.annotations ?? {};
  const latest = sidecarSet.status?.latestRevision;
  const abort = annotations[SIDESTEP.abort];
  const plain = plainSidecars(spec);
  return {
    sidecarSet,
    name: metadata.name ?? '',
    hash: annotations[KRUISE.hash] ?? sidecarSetHash(sidecarSet),
    hashWithoutImage: annotations[KRUISE.hashWithoutImage] ?? sidecarSetHashWithoutImage(sidecarSet),
    controllerRevision: latest,
    hot: containers.filter(isHotUpgrade).map(hotSidecar),
    plain,
    containerNames: [
      ...containers.flatMap(containerNamesInPod),
      ...plain.filter((sidecar) => sidecar.native).map((sidecar) => sidecar.name),
    ],
    imageOnlyHashes: imageOnlyHashes(sidecarSet, revisions),
    retryToken: annotations[SIDESTEP.retry],
    abortRequested: abort !== undefined && abort !== '' && abort === latest,
  };
}

const hotSidecar = (container: SidecarContainer): HotSidecar => ({
  name: container.name,
  pair: hotPairNames(container.name),
  image: container.image ?? '',
  emptyImage: container.upgradeStrategy?.hotUpgradeEmptyImage ?? '',
});

function plainSidecars(spec: SidecarSetSpec): PlainSidecar[] {
  const cold = (spec.containers ?? []).filter((container) => !isHotUpgrade(container));
  const native =
    spec.updateStrategy?.nativeSidecars === 'InPlace' ? (spec.initContainers ?? []).filter(isNativeSidecar) : [];
  return [...cold.map((c) => plainSidecar(c, false)), ...native.map((c) => plainSidecar(c, true))];
}

const plainSidecar = ({ name, image }: SidecarContainer, native: boolean): PlainSidecar => ({
  name,
  image: image ?? '',
  native,
});

/** The without-image hash that the set would have with these empty images, by hot sidecar. */
export function hashWithEmptyImages(sidecarSet: SidecarSet, emptyImages: ReadonlyMap<string, string>): string {
  const containers = (sidecarSet.spec.containers ?? []).map((container) => {
    const hotUpgradeEmptyImage = emptyImages.get(container.name);
    if (hotUpgradeEmptyImage === undefined) return container;
    return { ...container, upgradeStrategy: { ...container.upgradeStrategy, hotUpgradeEmptyImage } };
  });
  return sidecarSetHashWithoutImage({ ...sidecarSet, spec: { ...sidecarSet.spec, containers } });
}

/** The hash that the set would have with these images, by container of the set. */
export function hashWithImages(sidecarSet: SidecarSet, images: ReadonlyMap<string, string>): string {
  const swap = (container: SidecarContainer): SidecarContainer => {
    const image = images.get(container.name);
    return image === undefined ? container : { ...container, image };
  };
  const spec = { ...sidecarSet.spec };
  if (spec.containers !== undefined) spec.containers = spec.containers.map(swap);
  if (spec.initContainers !== undefined) spec.initContainers = spec.initContainers.map(swap);
  return sidecarSetHash({ ...sidecarSet, spec });
}

/**
 * OpenKruise counts the empty image among what cannot change in place, because it is not the `image` field. In a pod it is one,
 * so revisions that differ from the wanted one in it alone are upgradable.
 */
function imageOnlyHashes(sidecarSet: SidecarSet, revisions: readonly ControllerRevision[]): Set<string> {
  const hashes = new Set<string>();
  if (!(sidecarSet.spec.containers ?? []).some(isHotUpgrade)) return hashes;
  const wanted = imageBlindHash(sidecarSet);
  for (const revision of revisions) {
    const hash = revision.metadata.annotations?.[KRUISE.hashWithoutImage];
    const spec = (revision.data as { spec?: SidecarSetSpec } | undefined)?.spec;
    if (hash === undefined || spec === undefined || typeof spec !== 'object' || spec === null) continue;
    try {
      if (imageBlindHash({ ...sidecarSet, spec: withoutNulls(spec) }) === wanted) hashes.add(hash);
    } catch {
      // A revision whose data cannot be hashed says nothing about its pods.
    }
  }
  return hashes;
}

function imageBlindHash(sidecarSet: SidecarSet): string {
  const names = (sidecarSet.spec.containers ?? [])
    .filter(isHotUpgrade)
    .map((container) => [container.name, ''] as const);
  return hashWithEmptyImages(sidecarSet, new Map(names));
}

/** ControllerRevision data says `null` for what a SidecarSet leaves out. */
function withoutNulls(spec: SidecarSetSpec): SidecarSetSpec {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null));
}
