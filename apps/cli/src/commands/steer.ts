import type { SidecarSet } from '@sidestep/core';
import type { KubeObject } from '@sidestep/kube';
import { type Command, Option } from 'commander';
import type { ClusterReader } from '../cluster/cluster-reader.js';
import { type ClusterOptions, withCluster, withClusterOptions } from '../cluster/connect.js';
import { SIDECARSET } from '../cluster/kinds.js';
import { readSidecarSetName } from '../cluster/object-name.js';
import { toJson, toYaml } from '../render/objects.js';
import type { Surroundings } from '../surroundings.js';
import { abort, pause, promote, resume, retry, rollback, type Steering } from '../view/steering.js';

interface SteerOptions extends ClusterOptions {
  dryRun?: boolean;
  output: 'text' | 'json' | 'yaml';
  full?: boolean;
  to?: string;
}

interface Moment {
  set: SidecarSet;
  options: SteerOptions;
  cluster: ClusterReader;
  now: Date;
}

interface Verb {
  does: string;
  /** Which field or annotation it writes, for whoever writes it in git instead. */
  writes: string;
  steer(moment: Moment): Steering | Promise<Steering>;
  options?: Option[];
}

const VERBS: Record<string, Verb> = {
  pause: {
    does: 'begin no more pods; begun ones are finished',
    writes: 'spec.updateStrategy.paused: true',
    steer: ({ set }) => pause(set),
  },
  resume: {
    does: 'go on after pause',
    writes: 'spec.updateStrategy.paused: false',
    steer: ({ set }) => resume(set),
  },
  promote: {
    does: 'end the pause of the canary step that waits',
    writes: 'the annotation sidestep.dev/promote: <latestRevision>@<stepsSince>:<step from 0>, or :all',
    steer: ({ set, options }) => promote(set, options.full === true),
    options: [new Option('--full', 'through all steps')],
  },
  abort: {
    does: 'stop the rollout; pods half done go back to their old container',
    writes: 'the annotation sidestep.dev/abort: <name of the revision that the spec is>',
    steer: async ({ set, cluster }) => abort(set, await cluster.revisionsOf(set.metadata.name ?? '')),
  },
  retry: {
    does: 'begin failed pods and an aborted rollout again',
    writes: 'the annotation sidestep.dev/retry: <any new text>, and removes sidestep.dev/abort',
    steer: ({ set, now }) => retry(set, now),
  },
  rollback: {
    does: 'put an earlier revision into the spec',
    writes: 'spec.containers, initContainers, volumes, imagePullSecrets, patchPodMetadata and customVersion',
    steer: async ({ set, options, cluster }) =>
      rollback(set, await cluster.revisionsOf(set.metadata.name ?? ''), options.to),
    options: [new Option('--to <revision>', 'by name or number (default: the last good one, else the one before)')],
  },
};

/** `kubectl sidestep pause`, `resume`, `promote`, `abort`, `retry` and `rollback` */
export function addVerbs(program: Command, around: Surroundings): void {
  for (const [name, verb] of Object.entries(VERBS)) {
    const command = program
      .command(name)
      .argument('<sidecarset>', 'the SidecarSet: NAME or sidecarset/NAME')
      .description(verb.does)
      .option('--dry-run', 'print the patch instead of sending it')
      .addOption(new Option('-o, --output <format>', 'how to print').choices(['text', 'json', 'yaml']).default('text'));
    for (const option of verb.options ?? []) command.addOption(option);
    withClusterOptions(command)
      .addHelpText(
        'after',
        `\nWrites ${verb.writes}.\n\nExit status: 0 written; 1 there is nothing to do; 2 wrong arguments; 3 the planner has not seen the last edit, and it takes that\nto know what to write; 4 no cluster.`,
      )
      .action((set: string, options: SteerOptions) =>
        withCluster(options, around, async ({ cluster }) => {
          const found = await cluster.sidecarSet(readSidecarSetName(set));
          const steering = await verb.steer({ set: found, options, cluster, now: around.now() });
          around.stdout.write(await carryOut(found, steering, options, cluster));
        }),
      );
  }
}

async function carryOut(
  set: SidecarSet,
  { done, patch }: Steering,
  { dryRun, output }: SteerOptions,
  { api }: ClusterReader,
): Promise<string> {
  if (dryRun === true) return output === 'yaml' ? toYaml(patch.body) : toJson(patch.body);
  const name = set.metadata.name ?? '';
  const { type, body } = patch;
  const written = await api.patch<KubeObject>(SIDECARSET, { name }, body, { type, fieldManager: 'kubectl-sidestep' });
  if (output === 'text') return `sidecarset ${name}: ${done}\n`;
  return output === 'yaml' ? toYaml(written) : toJson(written);
}
