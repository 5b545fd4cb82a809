import {
  API_V1BETA1,
  convertSidecarSet,
  formatFieldErrors,
  type SidecarSet,
  validateSidecarSet as validate,
} from '@sidestep/core';
import type { ClusterView } from '../cluster/cluster-view.js';
import { badRequest, invalid } from './answers.js';
import type { AdmissionAnswer, AdmissionRequest } from './review.js';
import { isSidecarSetWrite, readSidecarSet } from './sidecarset-shape.js';

/** Refuses a SidecarSet that breaks a rule, naming every rule that it breaks. */
export function validateSidecarSet(
  request: AdmissionRequest,
  view: Pick<ClusterView, 'listSidecarSets' | 'revisions' | 'whitelist'>,
): AdmissionAnswer {
  if (!isSidecarSetWrite(request)) return { allowed: true };
  const set = readSidecarSet(request.object);
  if (typeof set === 'string') return badRequest(`the object cannot be read as a SidecarSet: ${set}`);
  const old = request.operation === 'UPDATE' ? readSidecarSet(request.oldObject) : undefined;
  const errors = validate(asStored(set), {
    // An old object that cannot be read was stored before there were rules; it cannot hold up its own repair.
    ...(typeof old === 'object' ? { old: asStored(old) } : {}),
    others: view.listSidecarSets(),
    revisions: view.revisions,
    whitelist: view.whitelist(),
  });
  return errors.length === 0 ? { allowed: true } : invalid(formatFieldErrors(errors));
}

/** Rules are written for the stored version, whichever the writer used. */
const asStored = (set: SidecarSet): SidecarSet => convertSidecarSet(set, API_V1BETA1);
