/** Whether and when trying again can help: never, with back-off, or after the given milliseconds. */
export type RetryRule = 'never' | 'backoff' | { afterMs: number };

/** Every code with what it means; docs/reference/errors.md is made from this. */
export const AGENT_ERROR_CODES = {
  NOT_LINUX: 'Descriptors can be passed between processes on Linux only.',
  ADDON_MISSING: 'There is no native addon for this machine, or it cannot be loaded.',
  LAUNCHER_MISSING: 'There is no launcher for supervised programs for this machine.',
  SYSTEM_CALL: 'The kernel refused a call; the message names both.',
  UNSAFE_DIRECTORY: 'The private directory or its secret could be used by somebody else.',
  BAD_ADDRESS: 'A listener has a name or address that cannot be used.',
  ADDRESS_IN_USE:
    'An address is taken: by another process of the pod, or by the version before under another listener name.',
  NOT_A_SOCKET: 'The path of a Unix listener is taken by something that is no socket.',
  HOLDER_SILENT: 'The process that holds the listeners does not hand them over; it is busy or hangs.',
  ABORTED: 'The hand-over failed; the process that served before still does. The message begins with the reason.',
  STOPPED: 'The process was asked to end before it had taken anything over.',
  SHARED_MEMORY: 'Envoy needs a writable /dev/shm that both containers share.',
  HOT_RESTART: 'The Envoy binary has no hot restart, or one that cannot succeed the Envoy that serves.',
  PROGRAM_NOT_READY: 'The supervised program ended, or did not say in time that it is ready.',
  NO_SUCH_LISTENER: 'A listener is used that is not among the options.',
  ALREADY_SERVED: 'A listener was given a second server.',
  NOT_SERVABLE: "What was given as a server is none of Node's.",
  UDP_BOUND_ONCE: 'A UDP socket has to be bound again and was not given as a function that makes one.',
  BAD_LENGTH: 'A frame has another length than it says, or is longer than it may be.',
  BAD_MAGIC: 'A frame does not begin with HTO1.',
  BAD_VERSION: 'A frame has a version that does not exist.',
  BAD_FDS: 'A frame came with other descriptors than it says, or with some where none belong.',
  TRUNCATED: 'The kernel cut off data or descriptors of a frame.',
} as const;

export type AgentErrorCode = keyof typeof AGENT_ERROR_CODES;

/**
 * The base of every error this package throws on purpose.
 *
 * `code` is stable API, `hint` tells the reader what to do, `retry` whether the same call can succeed later. It has the shape of
 * the platform's own base error, but stands alone: this package runs in the user's pod and depends on nothing.
 */
export class AgentError extends Error {
  readonly code: AgentErrorCode;
  readonly hint: string;
  readonly retry: RetryRule;

  constructor(code: AgentErrorCode, message: string, options: { hint: string; retry?: RetryRule; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.retry = options.retry ?? 'never';
  }
}
