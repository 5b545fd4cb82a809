import { injectedSidecarSets } from '@sidestep/controller';
import type { FullPod, Pod } from '@sidestep/core';
import { type Command, Option } from 'commander';
import { type ClusterOptions, type Connected, withCluster, withClusterOptions } from '../cluster/connect.js';
import { readObjectName } from '../cluster/object-name.js';
import { CliError } from '../errors.js';
import { toJson } from '../render/objects.js';
import { paintFor } from '../render/paint.js';
import { renderWhy } from '../render/why.js';
import type { Surroundings } from '../surroundings.js';
import { type WhyView, whyPod, whySidecarSet } from '../view/why-view.js';

interface WhyOptions extends ClusterOptions {
  output: 'text' | 'json';
}

const EPILOG = `
Prints the rules in the order in which the control plane asks them, the one that holds with its reason and message. NAME is a
SidecarSet or a pod; sidecarset/NAME, for short set/NAME, and pod/NAME say which. A pod is looked for in the namespace of -n, else of
the context, with -A in all.

-o json prints one object for a SidecarSet; for a pod {"items": [...]}, with one object for each SidecarSet that it carries.

Exit status: 0 told; 2 wrong arguments, nothing of that name; 4 no cluster.`;

/** `kubectl sidestep why` */
export function addWhy(program: Command, around: Surroundings): void {
  const command = program
    .command('why')
    .argument('<name>', 'a SidecarSet or a pod')
    .description('tell which rule holds a SidecarSet or a pod where it is')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text'));
  withClusterOptions(command)
    .addHelpText('after', EPILOG)
    .action((argument: string, options: WhyOptions) =>
      withCluster(options, around, async (connected) => {
        const told = await tell(argument, options, connected, around.now());
        const views = 'items' in told ? told.items : [told];
        const paint = paintFor(around);
        around.stdout.write(
          options.output === 'json' ? toJson(told) : views.map((view) => renderWhy(view, paint)).join('\n'),
        );
      }),
    );
}

/** A pod may carry several SidecarSets, so what is told of one is a list, however many it has. */
type Told = WhyView | { items: WhyView[] };

async function tell(argument: string, options: WhyOptions, connected: Connected, now: Date): Promise<Told> {
  const { kind, name } = readObjectName(argument);
  const { cluster } = connected;
  if (kind === 'SidecarSet')
    return whySidecarSet(await cluster.snapshot(await cluster.sidecarSet(name), options.namespace), now);
  const set = kind === 'Pod' ? undefined : await cluster.findSidecarSet(name);
  const pods = await podsNamed(name, options, connected);
  if (set !== undefined && pods.length > 0) {
    throw new CliError('NAME_AMBIGUOUS', `there are a SidecarSet and a pod called "${name}"`, {
      hint: `Say sidecarset/${name} or pod/${name}.`,
    });
  }
  if (set !== undefined) return whySidecarSet(await cluster.snapshot(set, options.namespace), now);
  if (pods.length > 0) return { items: (await Promise.all(pods.map((pod) => whyOfPod(pod, connected, now)))).flat() };
  const where = options.allNamespaces ? 'any namespace' : `namespace ${namespaceOf(options, connected)}`;
  const missing = kind === 'Pod' ? `pod in ${where}` : `SidecarSet, nor a pod in ${where},`;
  throw new CliError('NOT_FOUND', `there is no ${missing} called "${name}"`, {
    hint: 'Name the namespace with -n, or look in all with -A.',
  });
}

const namespaceOf = ({ namespace }: ClusterOptions, { contextNamespace }: Connected): string =>
  namespace ?? contextNamespace;

async function podsNamed(name: string, options: WhyOptions, connected: Connected): Promise<FullPod[]> {
  if (options.allNamespaces === true) return (await connected.cluster.podsNamed(name)) as FullPod[];
  const pod = await connected.cluster.findPod(namespaceOf(options, connected), name);
  return pod === undefined ? [] : [pod];
}

async function whyOfPod(pod: FullPod, { cluster }: Connected, now: Date): Promise<WhyView[]> {
  const names = injectedSidecarSets(pod as Pod);
  if (names.length === 0) {
    const { namespace = '', name = '' } = pod.metadata;
    throw new CliError('NOTHING_TO_DO', `pod ${namespace}/${name} carries no SidecarSet`, {
      hint: 'Pods get SidecarSets when they are created; kubectl sidestep inject shows what this one would get.',
    });
  }
  const sets = await Promise.all(names.map((name) => cluster.findSidecarSet(name)));
  const known = sets.filter((set) => set !== undefined);
  if (known.length === 0) {
    throw new CliError('NOT_FOUND', `the SidecarSets of this pod are gone: ${names.join(', ')}`, {
      hint: 'Nothing upgrades the pod any more; it keeps the sidecars that it has.',
    });
  }
  return Promise.all(
    known.map(async (sidecarSet) => {
      const revisions = await cluster.revisionsOf(sidecarSet.metadata.name ?? '');
      return whyPod({ sidecarSet, revisions, pods: [pod], ...(await cluster.namespacesFor(sidecarSet)) }, pod, now);
    }),
  );
}
