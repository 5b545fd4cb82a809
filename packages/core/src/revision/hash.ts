import { createHash } from 'node:crypto';
import { isNativeSidecar } from '../api/container-kinds.js';
import { KRUISE } from '../api/keys.js';
import { goJson } from '../api/schema/go-json.js';
import { SIDECAR_CONTAINERS } from '../api/schema/sidecar-container-types.js';
import type { SidecarContainer, SidecarSet } from '../api/sidecarset.js';
import { safeEncode } from './safe-encode.js';

/** The very bytes that OpenKruise 1.9 hashes for a SidecarSet. The set must carry its defaults. */
export function canonicalContainersJson(set: SidecarSet): string {
  const { containers, initContainers } = set.spec;
  const parts = [`"containers":${goJson(SIDECAR_CONTAINERS, containers)}`];
  if (initContainers?.some(isNativeSidecar))
    parts.push(`"initContainers":${goJson(SIDECAR_CONTAINERS, initContainers)}`);
  return `{${parts.join(',')}}`;
}

/**
 * The hash that tells whether a pod runs a SidecarSet's containers: 64 characters, equal to OpenKruise 1.9's
 * `kruise.io/sidecarset-hash`. Init containers count once one of them is a native sidecar. The set must carry its defaults.
 */
export function sidecarSetHash(set: SidecarSet): string {
  const digest = createHash('sha256').update(canonicalContainersJson(set), 'utf8').digest('hex');
  return safeEncode(digest);
}

/** As {@link sidecarSetHash} with every image left out: pods with an equal one differ by images alone. */
export function sidecarSetHashWithoutImage(set: SidecarSet): string {
  const spec = { ...set.spec };
  if (spec.containers) spec.containers = spec.containers.map(withoutImage);
  if (spec.initContainers) spec.initContainers = spec.initContainers.map(withoutImage);
  return sidecarSetHash({ ...set, spec });
}

function withoutImage(container: SidecarContainer): SidecarContainer {
  return { ...container, image: '' };
}

/**
 * The set with both hashes in its annotations, whatever was there before. Works for both versions; the set must carry its
 * defaults. The input is left alone.
 */
export function withHashes(set: SidecarSet): SidecarSet {
  const annotations = {
    ...set.metadata.annotations,
    [KRUISE.hash]: sidecarSetHash(set),
    [KRUISE.hashWithoutImage]: sidecarSetHashWithoutImage(set),
  };
  return { ...set, metadata: { ...set.metadata, annotations } };
}
