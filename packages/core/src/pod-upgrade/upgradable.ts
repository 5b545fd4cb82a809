import { withoutGeneration } from './image-reference.js';
import type { PodReading } from './pod-reading.js';
import type { UpgradeTarget } from './types.js';
import { hashWithEmptyImages } from './upgrade-target.js';

/** Hashing is the dearest step of a look, and all pods of a set have one of a few empty images. */
const hashesByEmptyImages = new WeakMap<UpgradeTarget, Map<string, string>>();

/**
 * Whether the pod differs from the target in images alone, which is all that Kubernetes lets change in a running pod. OpenKruise's
 * rule (equal without-image hashes), and beyond it a changed empty image.
 */
export function isUpgradable(reading: PodReading): boolean {
  const { target, stampWithoutImage } = reading;
  const hash = stampWithoutImage?.hash;
  if (hash === target.hashWithoutImage) return true;
  if (hash === undefined || target.hot.length === 0) return false;
  return target.imageOnlyHashes.has(hash) || hash === hashWithOwnEmptyImages(reading);
}

/** The hash the pod would have been stamped with, were the empty images that it runs the only difference. */
function hashWithOwnEmptyImages({ target, pairs }: PodReading): string {
  const images = new Map(
    pairs.filter((pair) => !pair.open).map((pair) => [pair.sidecar.name, withoutGeneration(pair.other.image)]),
  );
  const known = hashesByEmptyImages.get(target) ?? new Map<string, string>();
  hashesByEmptyImages.set(target, known);
  const key = JSON.stringify([...images]);
  const hash = known.get(key) ?? hashWithEmptyImages(target.sidecarSet, images);
  known.set(key, hash);
  return hash;
}
