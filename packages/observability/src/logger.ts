import { type DestinationStream, type Logger, pino } from 'pino';
import { standardOutput } from './standard-output.js';

export type { Logger } from 'pino';

/** Levels from the chattiest to none. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  /** Name of the process, e.g. `webhook`. */
  name: string;
  level: LogLevel;
  /** Standard output when absent; a reader of it that stalls or goes away costs lines, never the program. */
  destination?: DestinationStream;
}

/**
 * A logger that writes one JSON object per line. Messages are constant texts and everything that varies is a key
 * (`log.info({ namespace, pod, phase }, 'phase done')`), so that logs can be searched and counted. Errors go under `error`.
 */
export function createLogger(options: LoggerOptions): Logger {
  const config = {
    name: options.name,
    level: options.level,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: describeError },
    redact: { paths: ['headers.authorization', '*.headers.authorization', 'token', '*.token'], censor: '[secret]' },
  };
  return pino(config, options.destination ?? standardOutput());
}

/** What of an error belongs into a log line: also its code, reason and hint, and what caused it. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, reason, hint, status } = error as Error & Record<string, unknown>;
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
    ...(status === undefined ? {} : { status }),
    ...(hint === undefined ? {} : { hint }),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: describeCause(error.cause) }),
  };
}

/** The text of a cause only: its own causes may go round in a circle. */
const describeCause = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
