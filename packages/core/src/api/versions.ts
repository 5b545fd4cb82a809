import { KRUISE } from './keys.js';
import type { OpenObject } from './kubernetes.js';
import type { SidecarSet } from './sidecarset.js';

/** `apiVersion` of the older version, served for clients that still use it and converted by `convertSidecarSet`. */
export const API_V1ALPHA1 = 'apps.kruise.io/v1alpha1';
/** `apiVersion` of the version that is stored and that every rule works on. */
export const API_V1BETA1 = 'apps.kruise.io/v1beta1';

/** The versions of SidecarSet that are served; v1beta1 is the one that is stored. */
export type SidecarSetVersion = 'v1alpha1' | 'v1beta1';

/** True for an object that says it is of v1alpha1; one that says nothing is taken for v1beta1. */
export function isV1alpha1(object: OpenObject): boolean {
  return object.apiVersion === API_V1ALPHA1;
}

/** The custom version of a SidecarSet of either version: a field in v1beta1, a label in v1alpha1; empty counts as none. */
export function customVersionOf(set: SidecarSet): string | undefined {
  const version = isV1alpha1(set) ? set.metadata.labels?.[KRUISE.customVersion] : set.spec.customVersion;
  return version || undefined;
}
