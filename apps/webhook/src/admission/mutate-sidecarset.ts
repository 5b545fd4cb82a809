import { defaultSidecarSet, diffJson, withHashes } from '@sidestep/core';
import { badRequest } from './answers.js';
import type { AdmissionAnswer, AdmissionRequest } from './review.js';
import { isSidecarSetWrite, readSidecarSet } from './sidecarset-shape.js';

/** Fills in a SidecarSet's defaults and its two hashes, whatever the writer put there. */
export function mutateSidecarSet(request: AdmissionRequest): AdmissionAnswer {
  if (!isSidecarSetWrite(request)) return { allowed: true };
  const set = readSidecarSet(request.object);
  if (typeof set === 'string') return badRequest(`the object cannot be read as a SidecarSet: ${set}`);
  return { allowed: true, patch: diffJson(set, withHashes(defaultSidecarSet(set))) };
}
