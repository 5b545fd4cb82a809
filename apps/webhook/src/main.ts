/** Admission and conversion webhooks: answers from memory, manages its own certificates. */
import { createLogger, createMetrics, onStopSignals } from '@sidestep/observability';
import { describeConfig, readConfig } from './config.js';
import { WebhookApp } from './webhook-app.js';

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(describeConfig());
    return;
  }
  const config = readConfig();
  const log = createLogger({ name: 'webhook', level: config.logLevel });
  const app = new WebhookApp(config, log, createMetrics());
  onStopSignals({ process, log, stop: () => app.stop(), timeoutMs: config.stopSeconds * 1000 });
  await app.start();
}

/** What an expected failure has is a hint; anything else is a fault of the program, whose stack is worth more. */
function reportFailure(error: unknown): void {
  const { message, hint, stack } = error as Error & { hint?: string };
  process.stderr.write(`sidestep-webhook: ${hint ? `${message}\n${hint}` : (stack ?? String(error))}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  reportFailure(error);
  process.exit(1);
});
