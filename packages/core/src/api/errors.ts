/** Whether and when trying again can help: never, with back-off, or after the given milliseconds. */
export type RetryRule = 'never' | 'backoff' | { afterMs: number };

/**
 * The base of every error that a rule throws on purpose.
 *
 * `code` is stable API (documented in docs/reference/errors.md), `hint` tells the reader what to do, `retry` tells the caller
 * whether the same call can succeed later.
 */
export class SidestepError extends Error {
  readonly code: string;
  readonly hint: string;
  readonly retry: RetryRule;

  constructor(code: string, message: string, options: { hint: string; retry?: RetryRule; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.retry = options.retry ?? 'never';
  }
}
