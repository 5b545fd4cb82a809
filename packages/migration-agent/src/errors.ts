/** Whether and when trying again can help: never, with back-off, or after the given milliseconds. */
export type RetryRule = 'never' | 'backoff' | { afterMs: number };

/**
 * The base of every error this package throws on purpose.
 *
 * `code` is stable API, `hint` tells the reader what to do, `retry` whether the same call can succeed later. It has the shape of
 * the platform's own base error, but stands alone: this package runs in the user's pod and depends on nothing.
 */
export class AgentError extends Error {
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
