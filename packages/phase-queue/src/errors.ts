/** Whether and when trying again can help: never, with back-off, or after the given milliseconds. */
export type RetryRule = 'never' | 'backoff' | { afterMs: number };

/** Every code this room throws; docs/reference/errors.md is made from it. */
export const PHASE_QUEUE_ERROR_CODES = {
  QUEUE_UNAVAILABLE: 'The queue does not answer; its work is found again in Kubernetes.',
  QUEUE_CLOSED: 'The queue was closed by this process.',
  QUEUE_URL_INVALID: 'The address of the queue cannot be read.',
} as const;

export type PhaseQueueErrorCode = keyof typeof PHASE_QUEUE_ERROR_CODES;

/** An error of the queue itself. Same shape as core's SidestepError, which this room may not import. */
export class PhaseQueueError extends Error {
  readonly code: PhaseQueueErrorCode;
  readonly hint: string;
  readonly retry: RetryRule;

  constructor(
    code: PhaseQueueErrorCode,
    message: string,
    options: { hint: string; retry?: RetryRule; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PhaseQueueError';
    this.code = code;
    this.hint = options.hint;
    this.retry = options.retry ?? 'never';
  }
}

/** The queue did not answer: jobs stay where they are, and the caller's next look asks again. */
export const queueUnavailable = (cause: unknown): PhaseQueueError =>
  new PhaseQueueError(
    'QUEUE_UNAVAILABLE',
    `The queue does not answer: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      hint: 'Check REDIS_URL and that Redis runs. No work is lost: it is found again in Kubernetes.',
      retry: 'backoff',
      cause,
    },
  );

/** The queue was closed by this process. */
export const queueClosed = (): PhaseQueueError =>
  new PhaseQueueError('QUEUE_CLOSED', 'The queue is closed', { hint: 'This process is stopping.' });
