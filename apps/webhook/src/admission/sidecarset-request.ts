import { readSidecarSet, type SidecarSet } from '@sidestep/core';
import type { AdmissionRequest } from './review.js';

/** Whether a request is about the whole of a SidecarSet that somebody writes. */
export function isSidecarSetWrite({ resource, subResource, operation }: AdmissionRequest): boolean {
  const isSidecarSet = resource.group === 'apps.kruise.io' && resource.resource === 'sidecarsets' && !subResource;
  return isSidecarSet && (operation === 'CREATE' || operation === 'UPDATE');
}

/**
 * The set as it was before an update. One that cannot be read was stored before there were rules, and must not hold up its own
 * repair.
 */
export function oldSidecarSet({ operation, oldObject }: AdmissionRequest): SidecarSet | undefined {
  if (operation !== 'UPDATE') return undefined;
  try {
    return readSidecarSet(oldObject);
  } catch {
    return undefined;
  }
}
