/** An error of the process-kubelet; same shape as the errors of the other rooms. */
export class KubeletError extends Error {
  readonly code: string;
  readonly hint: string;
  readonly retry: 'never' | 'backoff' | { afterMs: number };

  constructor(code: string, message: string, hint: string, retry: KubeletError['retry'] = 'never') {
    super(message);
    this.name = 'KubeletError';
    this.code = code;
    this.hint = hint;
    this.retry = retry;
  }
}
