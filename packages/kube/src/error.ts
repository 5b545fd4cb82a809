/** Every code this room throws; docs/reference/errors.md is made from it. */
export const KUBE_ERROR_CODES = {
  KUBE_REQUEST_FAILED: 'A call to the API server did not succeed; `status` and `reason` say how.',
  KUBE_CONFIG_INVALID: 'No API server is known, or the kubeconfig cannot be read.',
} as const;

/** Whether and when the same call can succeed later. */
export type KubeRetry = 'never' | 'backoff' | { afterMs: number };

export interface KubeErrorDetails {
  status: number;
  reason: string;
  message: string;
  retryAfterMs?: number;
  cause?: unknown;
  /** The API server's whole Status object, if it sent one. */
  body?: unknown;
}

/** Calls whose outcome depends on the moment only; everything else that is not 2xx stays as it is until somebody changes something. */
const RETRYABLE_STATUS = new Set([0, 408, 429, 500, 502, 503, 504]);

const HINTS: Record<string, string> = {
  Conflict: 'Somebody else wrote the object: read it again and decide again.',
  Forbidden: 'The service account lacks a permission; compare with the shipped RBAC.',
  Unauthorized: 'The credentials are missing, wrong or expired.',
  NotFound: 'The object or its kind does not exist.',
  Expired: 'The resourceVersion is too old for the API server: list again.',
  Gone: 'The resourceVersion is too old for the API server: list again.',
  TooManyRequests: 'The API server is protecting itself; the call is made again after the time it asked for.',
  Invalid: 'The API server refused the content; the message names the field.',
  Timeout: 'The API server did not answer in time.',
  TooLate: 'What the write was decided on is too old by now: read and decide again.',
  ConnectionFailed: 'The API server cannot be reached; check the address and the network.',
};

/**
 * A call to an API server that did not succeed.
 *
 * `status` is the HTTP status, 0 when there was no answer. `reason` is the API server's own word
 * (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/), or `ConnectionFailed`, `Timeout`,
 * `Aborted`, `MalformedAnswer`, `TooLate` for failures on the way. A write that fails with status 0 may have happened, unless it
 * was `TooLate`.
 */
export class KubeError extends Error {
  readonly code = 'KUBE_REQUEST_FAILED';
  readonly status: number;
  readonly reason: string;
  readonly hint: string;
  readonly retry: KubeRetry;
  readonly retryAfterMs: number | undefined;
  readonly body: unknown;

  constructor(details: KubeErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'KubeError';
    this.status = details.status;
    this.reason = details.reason;
    this.body = details.body;
    this.retryAfterMs = details.retryAfterMs;
    this.hint = HINTS[details.reason] ?? 'See the message of the API server.';
    this.retry = retryOf(details);
  }

  static is(error: unknown, reason?: string): error is KubeError {
    return error instanceof KubeError && (reason === undefined || error.reason === reason);
  }
}

function retryOf({ status, reason, retryAfterMs }: KubeErrorDetails): KubeRetry {
  if (reason === 'Aborted' || reason === 'TooLate') return 'never';
  if (retryAfterMs !== undefined) return { afterMs: retryAfterMs };
  return RETRYABLE_STATUS.has(status) || reason === 'Conflict' ? 'backoff' : 'never';
}

/** True for a write that was not sent, because the moment by which it had to be has passed. */
export const isTooLate = (error: unknown): boolean => error instanceof KubeError && error.reason === 'TooLate';
/** True for a 404. */
export const isNotFound = (error: unknown): boolean => error instanceof KubeError && error.status === 404;
/** True for a 409 that says somebody else wrote the object first. */
export const isConflict = (error: unknown): boolean => error instanceof KubeError && error.reason === 'Conflict';
/** True for a 409 that says an object of that name exists. */
export const isAlreadyExists = (error: unknown): boolean =>
  error instanceof KubeError && error.reason === 'AlreadyExists';
/** True for what the same request is answered with until somebody changes a right, a quota, a policy or the request. */
export const isRefusal = (error: unknown): error is KubeError =>
  error instanceof KubeError && [400, 403, 404, 422].includes(error.status ?? 0);
/** True when a resourceVersion or continue token is too old, which only a new list can heal. */
export const isExpired = (error: unknown): boolean =>
  error instanceof KubeError && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone');

/** Reads the answer of a failed call: the Status object if there is one, the text otherwise. */
export function errorFromAnswer(status: number, body: string, retryAfter: string | undefined): KubeError {
  const parsed = parseStatus(body);
  const retryAfterMs = retryAfterOf(retryAfter, parsed);
  return new KubeError({
    status,
    reason: parsed?.reason ?? reasonOfStatus(status),
    message: parsed?.message ?? (body.slice(0, 500).trim() || `the API server answered ${status}`),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(parsed === undefined ? {} : { body: parsed }),
  });
}

/** Reads the Status of an ERROR event of a watch. */
export function errorFromWatchEvent(object: unknown): KubeError {
  const status = (object ?? {}) as StatusObject;
  const code = typeof status.code === 'number' ? status.code : 500;
  return new KubeError({
    status: code,
    reason: status.reason ?? reasonOfStatus(code),
    message: status.message ?? 'the watch ended with an error',
    body: object,
  });
}

interface StatusObject {
  kind?: string;
  code?: number;
  reason?: string;
  message?: string;
  details?: { retryAfterSeconds?: number };
}

function parseStatus(body: string): StatusObject | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const isStatus = typeof parsed === 'object' && parsed !== null && (parsed as StatusObject).kind === 'Status';
    return isStatus ? (parsed as StatusObject) : undefined;
  } catch {
    return undefined;
  }
}

function retryAfterOf(header: string | undefined, status: StatusObject | undefined): number | undefined {
  const seconds = header === undefined ? status?.details?.retryAfterSeconds : Number(header);
  return seconds !== undefined && Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}

const REASON_OF_STATUS: Record<number, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const reasonOfStatus = (status: number): string => REASON_OF_STATUS[status] ?? 'InternalError';
