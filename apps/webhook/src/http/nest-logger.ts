import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@sidestep/observability';

/** Nest's own messages, as lines of the process's log. What it says while all is well is for debugging. */
export class NestLogger implements LoggerService {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  log(message: unknown, context?: unknown): void {
    this.#log.debug({ detail: String(message), context }, 'nest');
  }

  debug(message: unknown, context?: unknown): void {
    this.log(message, context);
  }

  verbose(message: unknown, context?: unknown): void {
    this.log(message, context);
  }

  warn(message: unknown, context?: unknown): void {
    this.#log.warn({ detail: String(message), context }, 'nest warns');
  }

  error(message: unknown, ...details: unknown[]): void {
    this.#log.error({ detail: String(message), details }, 'nest failed');
  }

  fatal(message: unknown, ...details: unknown[]): void {
    this.error(message, ...details);
  }
}
