import { basename } from 'node:path';
import { AgentError } from '../errors.js';

export interface ProgramEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Why a start is given up: the program ended, or its time is over. The reason of `StartTools.gone`. */
export type Gone = { ended: ProgramEnd } | { limitMs: number };

/**
 * What a start that failed says wherever somebody looks. Adapters only say what was missing.
 *
 * @param gone undefined when the program lives and its adapter refuses it
 * @param failure its message is what was missing, or what else went wrong
 */
export function notReady(command: readonly string[], gone: Gone | undefined, failure: unknown): AgentError {
  const missing = failure instanceof Error ? failure.message : String(failure);
  const message = gone ? `${basename(command[0] ?? '')} ${whatHappened(gone)} (${missing})` : missing;
  const hint = 'The output of the program above says more. Whoever served before still does.';
  return new AgentError('PROGRAM_NOT_READY', message, { hint, cause: failure });
}

function whatHappened(gone: Gone): string {
  if ('limitMs' in gone) return `was not ready within ${gone.limitMs / 1000} s`;
  const { code, signal } = gone.ended;
  return `${signal ? `was ended by ${signal}` : `ended with code ${code}`} before it was ready`;
}
