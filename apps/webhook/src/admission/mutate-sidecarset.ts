import { defaultSidecarSet, diffJson, readSidecarSet, withHashes } from '@sidestep/core';
import { SIDECARSET_DEFAULTS } from './addressee.js';
import { badRequest } from './answers.js';
import type { AdmissionAnswer, AdmissionRequest } from './review.js';
import { isSidecarSetWrite, sidecarSetProblem } from './sidecarset-request.js';

/** Fills in a SidecarSet's defaults and its two hashes, whatever the writer put there. Throws what `refusalOf` understands. */
export function mutateSidecarSet(request: AdmissionRequest): AdmissionAnswer {
  const problem = sidecarSetProblem(request, SIDECARSET_DEFAULTS);
  if (problem) return badRequest(problem);
  if (!isSidecarSetWrite(request)) return { allowed: true };
  const stored = withHashes(defaultSidecarSet(readSidecarSet(request.object)));
  return { allowed: true, patch: diffJson(request.object, stored) };
}
