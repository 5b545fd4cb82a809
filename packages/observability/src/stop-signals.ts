import type { Logger } from 'pino';

/** What is needed of `process`; handed in, for a library neither listens to signals nor exits on its own. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): void;
}

export interface StopOptions {
  process: SignalSource;
  log: Logger;
  /** Ends everything in order; called once. */
  stop: () => Promise<void>;
  /** After this long the process ends without it. Should be below the pod's grace period. Default 20 s. */
  timeoutMs?: number;
}

/**
 * Ends the process in order at SIGTERM or SIGINT: exit status 0 when `stop` succeeded, 1 when it failed or took too long,
 * 130 at a second signal, which does not wait.
 */
export function onStopSignals({ process, log, stop, timeoutMs = 20_000 }: StopOptions): void {
  let stopping = false;
  const begin = (signal: string) => {
    if (stopping) {
      log.warn({ signal }, 'second signal, leaving at once');
      process.exit(130);
      return;
    }
    stopping = true;
    log.info({ signal }, 'stopping');
    const timer = setTimeout(() => {
      log.error({ timeoutMs }, 'stopping took too long');
      process.exit(1);
    }, timeoutMs);
    stop().then(
      () => {
        clearTimeout(timer);
        log.info({}, 'stopped');
        process.exit(0);
      },
      (error: unknown) => {
        clearTimeout(timer);
        log.error({ error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => begin(signal));
}
