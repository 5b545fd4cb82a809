import {
  API_V1BETA1,
  convertSidecarSet,
  defaultSidecarSet,
  deletionWarnings,
  formatFieldErrors,
  readSidecarSet,
  type SidecarSet,
  sidecarSetWarnings,
  validateSidecarSet as validate,
} from '@sidestep/core';
import type { ClusterView } from '../cluster/cluster-view.js';
import { SIDECARSET_RULES } from './addressee.js';
import { badRequest, invalid } from './answers.js';
import type { AdmissionAnswer, AdmissionRequest } from './review.js';
import { isSidecarSetWrite, oldSidecarSet, sidecarSetProblem } from './sidecarset-request.js';

/**
 * Refuses a SidecarSet that breaks a rule, naming every rule that it breaks, and warns of what is allowed but hardly meant. A
 * deletion is never refused.
 * Throws what `refusalOf` understands.
 */
export function validateSidecarSet(
  request: AdmissionRequest,
  view: Pick<ClusterView, 'listSidecarSets' | 'revisions' | 'whitelist'>,
): AdmissionAnswer {
  const problem = sidecarSetProblem(request, SIDECARSET_RULES);
  if (problem) return badRequest(problem);
  if (request.operation === 'DELETE') return deletion(request);
  if (!isSidecarSetWrite(request)) return { allowed: true };
  const set = asStored(readSidecarSet(request.object));
  const old = oldSidecarSet(request);
  const others = view.listSidecarSets();
  const errors = validate(set, {
    ...(old ? { old: asStored(old) } : {}),
    others,
    revisions: view.revisions,
    whitelist: view.whitelist(),
  });
  if (errors.length > 0) return invalid(formatFieldErrors(errors));
  return { allowed: true, warnings: sidecarSetWarnings(set, others) };
}

function deletion(request: AdmissionRequest): AdmissionAnswer {
  const set = oldSidecarSet(request);
  return { allowed: true, ...(set ? { warnings: deletionWarnings(set) } : {}) };
}

/** Rules are written for what is stored: the newer version, with its defaults. */
const asStored = (set: SidecarSet): SidecarSet => convertSidecarSet(defaultSidecarSet(set), API_V1BETA1);
