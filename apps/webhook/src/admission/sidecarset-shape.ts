import type { SidecarSet } from '@sidestep/core';
import type { AdmissionRequest } from './review.js';
import { isObject } from './review.js';

/** Whether a request is about the whole of a SidecarSet that somebody writes. */
export function isSidecarSetWrite({ resource, subResource, operation }: AdmissionRequest): boolean {
  const isSidecarSet = resource.group === 'apps.kruise.io' && resource.resource === 'sidecarsets' && !subResource;
  return isSidecarSet && (operation === 'CREATE' || operation === 'UPDATE');
}

/** The object as a SidecarSet, or what makes it unreadable. Its schema is the API server's business. */
export function readSidecarSet(object: unknown): SidecarSet | string {
  if (!isObject(object)) return 'the request has no object';
  if (object.kind !== 'SidecarSet') return 'it is of another kind';
  if (!isObject(object.metadata)) return 'metadata is not an object';
  for (const field of ['labels', 'annotations']) {
    const map = object.metadata[field];
    if (map === undefined || map === null) continue;
    if (!isObject(map) || !Object.values(map).every((value) => typeof value === 'string')) {
      return `metadata.${field} is not a map of strings`;
    }
  }
  if (!isObject(object.spec)) return 'spec is not an object';
  return object as unknown as SidecarSet;
}
