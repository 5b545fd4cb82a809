/** The planner (leader by Lease) and the phase workers, in one program, by role. */
import { setFlagsFromString } from 'node:v8';
import { createLogger, onStopSignals } from '@sidestep/observability';
import { type Config, ConfigError, describeConfig, readConfig } from './config.js';
import { UpgradeWorker } from './upgrade-worker.js';

/**
 * Of a watch event a few hundred bytes are kept and kilobytes thrown away. Left alone, V8 lets the heap of a program that has just
 * started grow to several times what it keeps; half again is enough, and costs a tenth of the planner's CPU at most.
 */
setFlagsFromString('--heap-growing-percent=50');

const EXIT = { failed: 1, usage: 2 };

const fail = (message: string, code: number): never => {
  process.stderr.write(`${message}\n`);
  process.exit(code);
};

const configure = (): Config => {
  try {
    return readConfig();
  } catch (error) {
    if (error instanceof ConfigError) return fail(`${error.message}\n${error.hint}`, EXIT.usage);
    throw error;
  }
};

const run = async (config: Config): Promise<void> => {
  const log = createLogger({ name: 'upgrade-worker', level: config.logLevel });
  const onLost = (reason: string): void => {
    log.fatal({ reason }, 'leadership ended, so this process ends');
    process.exit(EXIT.failed);
  };
  try {
    const worker = new UpgradeWorker(config, log, onLost);
    onStopSignals({ process, log, stop: () => worker.stop(), timeoutMs: config.stopSeconds * 1_000 });
    await worker.start();
  } catch (error) {
    const { hint } = error as { hint?: unknown };
    log.fatal({ error }, 'could not start');
    fail(`could not start: ${String(error)}${typeof hint === 'string' ? `\n${hint}` : ''}`, EXIT.failed);
  }
};

const [argument] = process.argv.slice(2);
if (argument === undefined) await run(configure());
else if (argument === '--help' || argument === '-h') process.stdout.write(describeConfig());
else fail(`unknown argument "${argument}"; --help tells what can be set`, EXIT.usage);
