import { accessSync, constants, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';

/** Every fault that the demo can make happen in the middle of the rollout. */
export const FAULTS = [
  'bad-image',
  'new-crashes',
  'new-hangs',
  'worker-killed',
  'planner-killed',
  'api-server-killed',
  'redis-flushed',
  'redis-restarted',
] as const;
export type FaultName = (typeof FAULTS)[number];

/** Faults of processes that the in-process queue does without. */
export const NEEDS_REDIS: ReadonlySet<FaultName> = new Set(['worker-killed', 'redis-flushed', 'redis-restarted']);

export interface DemoOptions {
  pods: number;
  rate: number;
  maxUnavailable: number | string;
  workers: number;
  startsAtOnce: number;
  queue: 'redis' | 'memory';
  json: boolean;
  quick: boolean;
  keep: boolean;
  fail?: FaultName;
  record?: string;
}

const wholeNumber = (low: number, high: number) => (text: string) => {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new InvalidArgumentError(`a whole number from ${low} to ${high} is allowed.`);
  }
  return value;
};

const MOST_PODS = 200;

const countOrPercent = (text: string): number | string => {
  if (/^(100|[1-9]\d?)%$/.test(text)) return text;
  if (/^[1-9]\d*$/.test(text) && Number(text) <= MOST_PODS) return Number(text);
  throw new InvalidArgumentError(`a count from 1 to ${MOST_PODS}, or a percentage from 1% to 100%, is allowed.`);
};

const EPILOG = `
What happens with --fail, and what is checked (the set allows no failed pod, aborts it, and begins no more):
  bad-image          the new image does not exist: every begun pod is aborted, the old sidecar never stops; then a good image completes
  new-crashes        the new sidecar dies right after taking over: the old one takes the sockets back, the pod is aborted; then a good image completes
  new-hangs          the new sidecar stops for good while taking over: the hook gives up, the pod is aborted; then a good image completes
  worker-killed      the workers are killed with SIGKILL while one of them writes a pod, and started again: their jobs are run again
  planner-killed     the planner that leads is killed with SIGKILL while pods are half way: a second one takes its lease over
  api-server-killed  kube-sim is killed with SIGKILL with a pod write done and not answered, and started again: all it had answered is there
  redis-flushed      FLUSHALL with jobs in the queue: the loss is noticed, and the queue is filled again
  redis-restarted    Redis is killed with jobs in it: the planner says so until it is back, empty; five seconds later at most it is filled again
Requests in flight in a sidecar that died are counted apart: in killedInFlight and, by kind, in lostByKind, but not in
lost; there may be at most as many as were in flight in it when it died (inFlightAtKills).
In all of these the rollout completes, no pod is written twice, and a fault that hit nothing counts as a broken promise.

Exit status: 0 every pod was upgraded and nothing was lost; 1 otherwise; 2 wrong arguments; 130 interrupted before its end.`;

/** Parses the command line; ends the process with 2 and one clear line when it is wrong. */
export const parseOptions = (argv: readonly string[]): DemoOptions => {
  const command = new Command('npm run demo --')
    .description('Hot-upgrades the sidecars of running pods under load, and counts what was lost.')
    .option('--pods <n>', 'pods, each an app behind a sidecar proxy', wholeNumber(1, MOST_PODS), 6)
    .option(
      '--rate <rps>',
      'requests per second over all pods; halved where the machine cannot serve them',
      wholeNumber(1, 20_000),
      1000,
    )
    .option('--max-unavailable <n>', 'pods begun at once: a count or a percentage', countOrPercent, 1)
    .option('--workers <n>', 'phase worker processes', wholeNumber(1, 8), 2)
    .option(
      '--starts-at-once <n>',
      'containers that start at once: this machine plays the nodes of all pods',
      wholeNumber(1, 1_000),
      Math.max(1, Math.floor(availableParallelism() / 2)),
    )
    .addOption(new Option('--queue <kind>', 'what holds the phase jobs').choices(['redis', 'memory']).default('redis'))
    .addOption(new Option('--fail <fault>', 'a fault in the middle of the rollout').choices([...FAULTS]))
    .option('--json', 'print one JSON object on stdout and nothing else', false)
    .option('--quick', 'less load before and after: under a minute', false)
    .option('--keep', 'stay up afterwards and print how to look around', false)
    .option('--record <file>', 'write the run as an animated SVG')
    .addHelpText('after', EPILOG)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  const options = command.parse(argv as string[], { from: 'user' }).opts<DemoOptions>();
  if (options.queue === 'memory' && options.fail && NEEDS_REDIS.has(options.fail)) {
    command.error(
      `error: --fail ${options.fail} needs --queue redis: the in-process queue has no Redis and no workers of their own`,
    );
  }
  if (options.record) {
    if (statSync(options.record, { throwIfNoEntry: false })?.isDirectory())
      command.error(`error: --record ${options.record}: that is a folder; a file is wanted`);
    const folder = path.dirname(path.resolve(options.record));
    try {
      accessSync(folder, constants.W_OK);
    } catch {
      command.error(`error: --record ${options.record}: ${folder} is no folder that can be written to`);
    }
  }
  return options;
};
