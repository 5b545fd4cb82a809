import { SidecarSetDecodeError, SidestepError } from '@sidestep/core';
import type { AdmissionAnswer } from './review.js';

type Refusal = AdmissionAnswer & { allowed: false };

/** The object cannot be read at all. */
export const badRequest = (message: string): Refusal => ({ allowed: false, code: 400, reason: 'BadRequest', message });

/** The object can be read and breaks a rule. OpenKruise says 500 here, with the same message. */
export const invalid = (message: string): Refusal => ({ allowed: false, code: 422, reason: 'Invalid', message });

/** What a rule's exception says to the API server; anything that is no rule's exception is a fault of this program. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof SidecarSetDecodeError) return badRequest(error.message);
  if (error instanceof SidestepError) return invalid(error.message);
  if (error instanceof RangeError) return badRequest('the object is nested too deeply');
  const message = `internal error: ${error instanceof Error ? error.message : String(error)}`;
  return { allowed: false, code: 500, reason: 'InternalError', message };
}
