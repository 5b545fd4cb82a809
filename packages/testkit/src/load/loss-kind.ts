import type { LossKind } from './types.js';

const LOCAL = new Set(['EADDRNOTAVAIL', 'EADDRINUSE', 'EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);
const UNREACHABLE = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN']);

/** What a socket's error code means for the request on it. */
export function kindOfError(code: string | undefined, wasConnected: boolean): LossKind {
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'ETIMEDOUT') return 'timeout';
  if (code !== undefined && LOCAL.has(code)) return 'local';
  if (code !== undefined && UNREACHABLE.has(code)) return 'unreachable';
  return code === 'ECONNRESET' || code === 'EPIPE' || wasConnected ? 'reset' : 'unreachable';
}

/** The loss that a status means, if it is one. */
export function kindOfStatus(status: number): LossKind | undefined {
  if (status >= 500) return 'server-error';
  return status >= 400 ? 'client-error' : undefined;
}
