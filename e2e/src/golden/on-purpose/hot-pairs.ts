import { hotPairNames, isHotUpgrade, KRUISE, type Pod, type SidecarSet } from '@sidestep/core';
import { isObject } from '../compare.js';

/** One half of a hot pair as the pod has it. */
export interface Half {
  name: string;
  image: string | undefined;
  imageID: string | undefined;
}

/** A hot sidecar in a pod: the container that the pointer names, its peer, and what the SidecarSet wants. */
export interface HotPair {
  sidecar: string;
  working: Half;
  other: Half;
  wanted: { image: string | undefined; emptyImage: string | undefined };
}

export function hotPairsOf(pod: Pod, { spec }: SidecarSet): HotPair[] {
  const pointers = jsonMap<string>(pod.metadata.annotations?.[KRUISE.workingHotContainer]);
  const half = (name: string): Half => ({
    name,
    image: pod.spec.containers.find((container) => container.name === name)?.image,
    imageID: pod.status?.containerStatuses?.find((status) => status.name === name)?.imageID,
  });
  return (spec.containers ?? []).filter(isHotUpgrade).map(({ name, image, upgradeStrategy }) => {
    const [first, second] = hotPairNames(name);
    const working = pointers[name] ?? first;
    const wanted = { image, emptyImage: upgradeStrategy?.hotUpgradeEmptyImage };
    return { sidecar: name, working: half(working), other: half(working === first ? second : first), wanted };
  });
}

/** An annotation that holds a map; a garbled one holds nothing. */
export function jsonMap<T>(text: string | undefined): Record<string, T> {
  try {
    const held: unknown = JSON.parse(text ?? '{}');
    return isObject(held) ? (held as Record<string, T>) : {};
  } catch {
    return {};
  }
}

/** The spec is back at what the old container still runs, while the pointer names the new one. */
export const hasGoneBack = ({ working, other, wanted }: HotPair): boolean =>
  working.image !== wanted.image && other.image === wanted.image;
