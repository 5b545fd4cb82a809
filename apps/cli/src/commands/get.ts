import { type Command, Option } from 'commander';
import { type ClusterOptions, withCluster, withClusterOptions } from '../cluster/connect.js';
import { readSidecarSetName } from '../cluster/object-name.js';
import { LiveScreen } from '../render/live-screen.js';
import { toJson, toJsonLine, toYaml } from '../render/objects.js';
import { paintFor } from '../render/paint.js';
import { renderTree } from '../render/tree.js';
import type { Surroundings } from '../surroundings.js';
import { type SidecarSetView, sidecarSetView } from '../view/sidecarset-view.js';
import { watchRollout } from '../watch/watch-rollout.js';
import { wholeNumber } from './option-values.js';

interface GetOptions extends ClusterOptions {
  watch?: boolean;
  untilDone?: boolean;
  output: 'tree' | 'json' | 'yaml';
  limit: number;
}

const EPILOG = `
Pods of every namespace are shown unless -n names one; those that need a look come first. States and reasons are those that the
control plane acts on (docs/reference/reasons.md). --watch goes on until Ctrl-C, with --until-done until the rollout is complete
or has failed; kubectl sidestep status is the one for scripts.

-o json prints one object; with --watch one on a line of its own for each change (newline-delimited JSON), and -o yaml one document.

Exit status: 0 shown; 2 wrong arguments, no such SidecarSet; 4 no cluster.`;

/** `kubectl sidestep get` */
export function addGet(program: Command, around: Surroundings): void {
  const command = program
    .command('get')
    .argument('<sidecarset>', 'the SidecarSet: NAME or sidecarset/NAME')
    .description('show a rollout as a tree: SidecarSet, revisions, pods')
    .option('-w, --watch', 'show it again whenever it changes')
    .option('--until-done', 'with --watch: end when the rollout is complete or has failed')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['tree', 'json', 'yaml']).default('tree'))
    .option('--limit <n>', 'pods to list of each revision', wholeNumber(0, 100_000), 20);
  withClusterOptions(command)
    .addHelpText('after', EPILOG)
    .action((name: string, options: GetOptions) =>
      withCluster(options, around, async ({ cluster }) => {
        const set = await cluster.sidecarSet(readSidecarSetName(name));
        if (options.watch !== true) {
          const view = sidecarSetView(await cluster.snapshot(set, options.namespace), around.now());
          around.stdout.write(print(view, options, around));
          return;
        }
        const screen = new LiveScreen(around, BETWEEN[options.output]);
        const { namespace } = options;
        for await (const snapshot of watchRollout(cluster, set, { namespace, signal: around.stop })) {
          const view = sidecarSetView(snapshot, around.now());
          await screen.show(print(view, options, around));
          const { state } = view.verdict;
          if (options.untilDone === true && (state === 'Complete' || state === 'Failed')) return;
        }
      }),
    );
}

/** What is written between the documents of --watch, where programs read them. */
const BETWEEN: Partial<Record<GetOptions['output'], string>> = { json: '', yaml: '---\n' };

function print(view: SidecarSetView, { output, limit, watch }: GetOptions, around: Surroundings): string {
  if (output === 'json') return watch === true ? toJsonLine(view) : toJson(view);
  return output === 'yaml' ? toYaml(view) : renderTree(view, paintFor(around), limit);
}
