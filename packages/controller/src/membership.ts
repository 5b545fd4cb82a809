import { KRUISE, type Pod } from '@sidestep/core';

/**
 * The SidecarSets that a pod was injected with, by name. Pods from before the list existed carry only the hashes
 * (OpenKruise before 0.8), so those name the sets.
 */
export function injectedSidecarSets(pod: Pod): string[] {
  const annotations = pod.metadata.annotations ?? {};
  const list = annotations[KRUISE.injectedList];
  if (list !== undefined && list !== '') return list.split(',').filter((name) => name !== '');
  const hashes = annotations[KRUISE.hash];
  if (hashes === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(hashes);
    return typeof parsed === 'object' && parsed !== null ? Object.keys(parsed) : [];
  } catch {
    return [];
  }
}
