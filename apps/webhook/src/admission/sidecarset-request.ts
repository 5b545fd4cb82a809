import { readSidecarSet, type SidecarSet } from '@sidestep/core';
import { type Addressee, misdirection } from './addressee.js';
import { type AdmissionRequest, isObject } from './review.js';

/**
 * Says why a request for a write of a SidecarSet cannot be answered; `undefined` when it can. An API server sends the object that
 * an update is of: without it none of the rules for updates could be held.
 */
export function sidecarSetProblem(request: AdmissionRequest, addressee: Addressee): string | undefined {
  const misdirected = misdirection(request, addressee);
  if (misdirected || !isSidecarSetWrite(request)) return misdirected;
  if (request.object === undefined) return `the ${request.operation} has no object; it takes a SidecarSet there`;
  if (request.operation !== 'UPDATE' || isObject(request.oldObject)) return undefined;
  return 'the UPDATE has no oldObject; it takes the SidecarSet there as it was before';
}

/** Whether a request is about the whole of a SidecarSet that somebody writes. */
export const isSidecarSetWrite = ({ subResource, operation }: AdmissionRequest): boolean =>
  !subResource && (operation === 'CREATE' || operation === 'UPDATE');

/**
 * The set as it was before an update or a deletion. One that cannot be read was stored before there were rules, and must hold up
 * neither.
 */
export function oldSidecarSet({ operation, oldObject }: AdmissionRequest): SidecarSet | undefined {
  if (operation !== 'UPDATE' && operation !== 'DELETE') return undefined;
  try {
    return readSidecarSet(oldObject);
  } catch {
    return undefined;
  }
}
