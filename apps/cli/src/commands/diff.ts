import { injectedSidecarSets } from '@sidestep/controller';
import { NAMESPACE_NAME_LABEL, type Pod, type SidecarSet } from '@sidestep/core';
import { type Command, Option } from 'commander';
import { type ClusterOptions, withCluster, withClusterOptions } from '../cluster/connect.js';
import { CliError, EXIT } from '../errors.js';
import { podOf } from '../manifests/pods.js';
import { onlyKinds, readManifests, refuseTwoStdins } from '../manifests/read-manifests.js';
import { anyAnnotation, asStored, revisionOfSet, type SetInputs, setInputsOf } from '../manifests/sidecarsets.js';
import { renderChange } from '../render/change.js';
import { toJson } from '../render/objects.js';
import { paintFor } from '../render/paint.js';
import type { Surroundings } from '../surroundings.js';
import { type ChangeView, changeView } from '../view/change-view.js';
import type { RolloutSnapshot } from '../view/snapshot.js';
import { collect, keyValues, wholeNumber } from './option-values.js';

interface DiffOptions extends ClusterOptions {
  filename: string[];
  sidecarset?: string[];
  pods?: string[];
  namespaceLabels?: Record<string, string>;
  offline?: boolean;
  output: 'text' | 'json';
  limit: number;
}

const EPILOG = `
Compares with the cluster, or with the files of -s and --pods and no cluster at all. Tells the hashes before and after, whether
running pods can be upgraded and which field keeps them from it, which pods would be begun at once and in which order the others
would follow, what the API server would refuse, and what it would warn of. -o json prints one object for one SidecarSet given with -f,
{"items": [...]} for several.

Exit status: 0 the change would be taken; 1 it would be refused; 2 wrong arguments or input; 4 no cluster.

Examples:
  kubectl sidestep diff -f sidecarset.yaml
  kubectl sidestep diff -f new.yaml -s old.yaml --pods pods.yaml
  git show main:mesh.yaml | kubectl sidestep diff -f mesh.yaml -s -`;

/** `kubectl sidestep diff` */
export function addDiff(program: Command, around: Surroundings): void {
  const command = program
    .command('diff')
    .description('tell what a change of a SidecarSet would do')
    .requiredOption('-f, --filename <file>', 'the SidecarSet as it shall be: a file, or -; may be repeated', collect)
    .option(
      '-s, --sidecarset <file>',
      'the SidecarSet as it is, instead of asking the cluster; may be repeated',
      collect,
    )
    .option('--pods <file>', 'the pods as they are; may be repeated', collect)
    .option('--namespace-labels <k=v,...>', 'labels of the namespaces of --pods, for namespaceSelector', keyValues)
    .option('--offline', 'ask no cluster, also without -s')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .option('--limit <n>', 'pods to list', wholeNumber(0, 100_000), 10);
  withClusterOptions(command)
    .addHelpText('after', EPILOG)
    .action(async (options: DiffOptions) => {
      refuseTwoStdins(...options.filename, ...(options.sidecarset ?? []), ...(options.pods ?? []));
      const wanted = setInputsOf(await readManifests(options.filename, around), '-f');
      if (wanted.sets.length === 0) {
        throw new CliError('INPUT_INVALID', 'there is no SidecarSet in what -f names', { hint: 'Give at least one.' });
      }
      const offline = options.offline === true || options.sidecarset !== undefined;
      const world = offline ? await readFiles(options, wanted, around) : await readCluster(options, wanted, around);
      const views = wanted.sets.map((set) => viewOf(set, world, around));
      if (views.some(({ verdict }) => verdict === 'Refused')) around.exitCode = EXIT.no;
      if (offline && options.namespaceLabels === undefined)
        for (const text of unknownNamespaces(wanted.sets, world)) around.stderr.write(`warning: ${text}\n`);
      around.stdout.write(print(views, options, around));
    });
}

/** What the change is compared with. */
interface World extends SetInputs {
  snapshotOf(name: string): RolloutSnapshot | undefined;
}

async function readFiles(options: DiffOptions, wanted: SetInputs, around: Surroundings): Promise<World> {
  const old = setInputsOf(await readManifests(options.sidecarset ?? [], around), '-s');
  const podManifests = await readManifests(options.pods ?? [], around);
  onlyKinds(podManifests, '--pods', ['Pod']);
  const namespace = options.namespace ?? 'default';
  const pods = podManifests.map((manifest) => inNamespace(podOf(manifest), namespace));
  const revisions = [...old.revisions, ...wanted.revisions];
  // Without a cluster, what is known of a namespace is its name and what the command line says.
  const namespaceLabels = (name: string) => ({ [NAMESPACE_NAME_LABEL]: name, ...options.namespaceLabels });
  const snapshotOf = (name: string): RolloutSnapshot | undefined => {
    const sidecarSet = old.sets.find(({ metadata }) => metadata.name === name);
    if (sidecarSet === undefined) return undefined;
    const own = revisionOfSet(sidecarSet, revisions);
    const known = [...revisions.filter(({ metadata }) => metadata.name !== own.metadata.name), own];
    const carrying = pods.filter((pod) => injectedSidecarSets(pod).includes(name));
    return { sidecarSet, revisions: known, pods: carrying, namespaceLabels };
  };
  return { sets: merged(old.sets, wanted.sets), revisions, whitelist: anyAnnotation(), snapshotOf };
}

/** Without a cluster nobody tells the labels of a namespace; a set that asks for one would count none of its pods in silence. */
function unknownNamespaces(sets: readonly SidecarSet[], world: World): string[] {
  return sets.flatMap(({ metadata: { name = '' }, spec: { namespaceSelector } }) => {
    const { matchLabels = {}, matchExpressions = [] } = namespaceSelector ?? {};
    const asked = [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
    const unknown = [...new Set(asked)].filter((key) => key !== NAMESPACE_NAME_LABEL);
    if (unknown.length === 0 || (world.snapshotOf(name)?.pods.length ?? 0) === 0) return [];
    const labels = unknown.length === 1 ? `the label ${unknown[0]}` : `the labels ${unknown.join(', ')}`;
    const question = `the namespaceSelector of SidecarSet ${name} asks for ${labels} of namespaces, which no file tells`;
    return [`${question}; say it with --namespace-labels KEY=VALUE,..., or pods may be counted wrongly`];
  });
}

const inNamespace = (pod: Pod, namespace: string): Pod =>
  pod.metadata.namespace === undefined ? { ...pod, metadata: { ...pod.metadata, namespace } } : pod;

function readCluster(options: DiffOptions, wanted: SetInputs, around: Surroundings): Promise<World> {
  return withCluster(options, around, async ({ cluster }) => {
    const [live, whitelist] = await Promise.all([cluster.sidecarSets(), cluster.whitelist()]);
    const wantedOf = new Map(wanted.sets.map((set) => [set.metadata.name, set]));
    const snapshots = new Map<string, RolloutSnapshot>();
    for (const set of live) {
      const change = wantedOf.get(set.metadata.name);
      if (change === undefined) continue;
      const stored = asStored(set, `SidecarSet ${set.metadata.name} of the cluster`);
      const snapshot = await cluster.snapshot(stored, options.namespace);
      // Either side may select by namespace.
      snapshots.set(set.metadata.name ?? '', { ...snapshot, ...(await cluster.namespacesFor(change)) });
    }
    const revisions = [...snapshots.values()].flatMap((snapshot) => snapshot.revisions);
    const sets = merged(live, wanted.sets);
    return {
      sets,
      revisions,
      whitelist: whitelist ?? wanted.whitelist,
      snapshotOf: (name) => snapshots.get(name),
    };
  });
}

function merged(old: readonly SidecarSet[], wanted: readonly SidecarSet[]): SidecarSet[] {
  return [...new Map([...old, ...wanted].map((set) => [set.metadata.name, set])).values()];
}

function viewOf(set: SidecarSet, world: World, around: Surroundings): ChangeView {
  return changeView({
    before: world.snapshotOf(set.metadata.name ?? ''),
    after: set,
    others: world.sets,
    revisions: world.revisions,
    whitelist: world.whitelist,
    systemNamespace: around.config.systemNamespace,
    now: around.now(),
  });
}

function print(views: readonly ChangeView[], { output, limit }: DiffOptions, around: Surroundings): string {
  if (output === 'json') return toJson(views.length === 1 ? views[0] : { items: views });
  return views.map((view) => renderChange(view, paintFor(around), limit)).join('\n');
}
