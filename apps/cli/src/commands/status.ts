import { type Command, Option } from 'commander';
import type { ClusterReader } from '../cluster/cluster-reader.js';
import { type ClusterOptions, withCluster, withClusterOptions } from '../cluster/connect.js';
import { readSidecarSetName } from '../cluster/object-name.js';
import { CliError, EXIT } from '../errors.js';
import { toJson } from '../render/objects.js';
import type { Surroundings } from '../surroundings.js';
import { type Verdict, verdictOf } from '../view/verdict.js';
import { watchSidecarSet } from '../watch/watch-rollout.js';
import { duration } from './option-values.js';

interface StatusOptions extends ClusterOptions {
  timeout: number;
  wait: boolean;
  output: 'text' | 'json';
}

const EPILOG = `
Prints a line whenever the state, the reason or the numbers change, and ends when the rollout is done. A rollout that is paused, by
hand or by a canary step, is waited for.

-o json prints one object at the end, {"state", "reason", "message"}: how it stood then; the lines go to the standard error meanwhile.

Exit status: 0 complete: every pod that may be updated is; 1 failed, or it does not go on without a hand; 2 wrong arguments, no
such SidecarSet; 3 not done in time; 4 no cluster.

Example:
  kubectl apply -f mesh.yaml && kubectl sidestep status mesh --timeout 10m`;

/** `kubectl sidestep status` */
export function addStatus(program: Command, around: Surroundings): void {
  const command = program
    .command('status')
    .argument('<sidecarset>', 'the SidecarSet: NAME or sidecarset/NAME')
    .description('wait for a rollout, for scripts')
    .option('--timeout <time>', 'how long to wait: 90s, 5m, 1h', duration, duration('5m'))
    .option('--no-wait', 'tell the state as it is now')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text'));
  withClusterOptions(command)
    .addHelpText('after', EPILOG)
    .action((argument: string, options: StatusOptions) =>
      withCluster(options, around, async ({ cluster }) => {
        const set = await cluster.sidecarSet(readSidecarSetName(argument));
        const verdict = options.wait
          ? await waitFor(cluster, set.metadata.name ?? '', options, around)
          : verdictOf(set);
        if (options.output === 'json') around.stdout.write(toJson(verdict));
        else if (!options.wait) around.stdout.write(lineOf(verdict));
        around.exitCode = exitCodeFor(verdict);
      }),
    );
}

function exitCodeFor({ state }: Verdict): number {
  switch (state) {
    case 'Complete':
      return EXIT.done;
    case 'Failed':
      return EXIT.no;
    case 'Waiting':
    case 'Progressing':
    case 'Paused':
      return EXIT.timeout;
  }
}

async function waitFor(
  cluster: ClusterReader,
  name: string,
  options: StatusOptions,
  around: Surroundings,
): Promise<Verdict> {
  // AbortSignal.any and .timeout would do, but Node 20 collects their signals as garbage while somebody still listens.
  const end = new AbortController();
  const { signal } = end;
  const stop = (): void => end.abort();
  around.stop.addEventListener('abort', stop, { once: true });
  if (around.stop.aborted) stop();
  const timer = setTimeout(stop, options.timeout);
  const progress = options.output === 'json' ? around.stderr : around.stdout;
  let last: Verdict | undefined;
  try {
    for await (const set of watchSidecarSet(cluster, name, signal)) {
      const verdict = verdictOf(set);
      if (lineOf(verdict) !== (last && lineOf(last))) progress.write(lineOf(verdict));
      last = verdict;
      if (verdict.state === 'Complete' || verdict.state === 'Failed') return verdict;
    }
  } finally {
    clearTimeout(timer);
    around.stop.removeEventListener('abort', stop);
  }
  if (!signal.aborted) {
    throw new CliError('NOT_FOUND', `SidecarSet "${name}" was deleted`, { hint: 'There is nothing to wait for.' });
  }
  if (!around.stop.aborted) around.stderr.write(`error: not done within ${options.timeout / 1_000} s\n`);
  return last ?? { state: 'Waiting', reason: '', message: '' };
}

const lineOf = ({ state, reason, message }: Verdict): string =>
  `${state}${reason === '' ? '' : ` ${reason}`}: ${message}\n`;
