import { defaultSidecarSet, diffJson, readSidecarSet, withHashes } from '@sidestep/core';
import type { AdmissionAnswer, AdmissionRequest } from './review.js';
import { isSidecarSetWrite } from './sidecarset-request.js';

/** Fills in a SidecarSet's defaults and its two hashes, whatever the writer put there. Throws what `refusalOf` understands. */
export function mutateSidecarSet(request: AdmissionRequest): AdmissionAnswer {
  if (!isSidecarSetWrite(request)) return { allowed: true };
  const stored = withHashes(defaultSidecarSet(readSidecarSet(request.object)));
  return { allowed: true, patch: diffJson(request.object, stored) };
}
