import { type InjectionPlan, injectPod, lookupOf, type Pod, SidecarSetIndex, sidecarSetWarnings } from '@sidestep/core';
import { type Command, Option } from 'commander';
import { CliError } from '../errors.js';
import { podOf } from '../manifests/pods.js';
import { type Manifest, onlyKinds, readManifests, refuseTwoStdins } from '../manifests/read-manifests.js';
import { refuseInvalid, type SetInputs, setInputsOf } from '../manifests/sidecarsets.js';
import { type Format, printObjects, toJson } from '../render/objects.js';
import type { Surroundings } from '../surroundings.js';
import { collect, keyValues } from './option-values.js';

interface InjectOptions {
  filename: string[];
  sidecarset: string[];
  output: Format | 'patch';
  namespace?: string;
  namespaceLabels?: Record<string, string>;
}

const EPILOG = `
Works without a cluster. What is printed is the pod as Sidestep's webhook would let it into the cluster; warnings go to the
standard error. With -o patch it is a JSON Patch (RFC 6902); for several pods a list of {pod, patch}. -s also takes the ControllerRevisions that injectionStrategy.revision names, and the ConfigMap with the whitelist
of patchPodMetadata (without it every annotation is allowed).

Exit status: 0 printed; 1 the pod or a SidecarSet would be refused; 2 wrong arguments or input.

Examples:
  kubectl sidestep inject -f pod.yaml -s sidecarset.yaml
  kubectl get sidecarsets -o yaml | kubectl sidestep inject -f pod.yaml -s - -o patch`;

/** `kubectl sidestep inject` */
export function addInject(program: Command, around: Surroundings): void {
  program
    .command('inject')
    .description('print pods as the SidecarSets would change them at creation')
    .requiredOption(
      '-f, --filename <file>',
      'pods: a file of YAML or JSON, - for the standard input; may be repeated',
      collect,
    )
    .requiredOption('-s, --sidecarset <file>', 'SidecarSets: a file, or -; may be repeated', collect)
    .addOption(new Option('-o, --output <format>', 'what to print').choices(['yaml', 'json', 'patch']).default('yaml'))
    .option('-n, --namespace <name>', 'namespace of pods that name none (default: "default")')
    .option('--namespace-labels <k=v,...>', 'labels of that namespace, for namespaceSelector', keyValues)
    .addHelpText('after', EPILOG)
    .action(async (options: InjectOptions) => {
      refuseTwoStdins(...options.filename, ...options.sidecarset);
      const pods = podsOf(await readManifests(options.filename, around));
      const inputs = setInputsOf(await readManifests(options.sidecarset, around), '-s');
      refuseInvalid(inputs);
      for (const set of inputs.sets) {
        for (const text of sidecarSetWarnings(set, inputs.sets))
          warn(around, `SidecarSet ${set.metadata.name}: ${text}`);
      }
      const results = injectAll(pods, inputs, options, around.now());
      for (const result of results) for (const text of warningsOf(result)) warn(around, text);
      around.stdout.write(printResults(results, options.output));
    });
}

interface Injected {
  name: string;
  pod: Pod;
  plan: InjectionPlan;
}

function podsOf(manifests: readonly Manifest[]): Pod[] {
  onlyKinds(manifests, '-f', ['Pod']);
  if (manifests.length > 0) return manifests.map(podOf);
  throw new CliError('INPUT_INVALID', 'there is no Pod in what -f names', {
    hint: 'Give a file with at least one Pod.',
  });
}

function injectAll(pods: readonly Pod[], inputs: SetInputs, options: InjectOptions, now: Date): Injected[] {
  const sidecarSets = new SidecarSetIndex(inputs.sets);
  const revisions = lookupOf(inputs.revisions);
  const { namespaceLabels } = options;
  return pods.map((pod) => {
    const namespace = pod.metadata.namespace ?? options.namespace ?? 'default';
    const name = `${namespace}/${pod.metadata.name ?? pod.metadata.generateName ?? ''}`;
    return { name, ...injectPod({ pod, namespace, namespaceLabels, sidecarSets, revisions, now }) };
  });
}

function warningsOf({ name, plan }: Injected): string[] {
  const skipped = plan.skipped.map(
    ({ sidecarSet, message }) => `pod ${name}: SidecarSet ${sidecarSet} is not injected: ${message}`,
  );
  const warnings = plan.warnings.map((text) => `pod ${name}: ${text}`);
  const nobody = plan.injected.length + skipped.length === 0 ? [`pod ${name}: no SidecarSet selects it`] : [];
  return [...warnings, ...skipped, ...nobody];
}

const warn = (around: Surroundings, text: string): void => around.stderr.write(`warning: ${text}\n`);

function printResults(results: readonly Injected[], output: InjectOptions['output']): string {
  if (output !== 'patch') {
    return printObjects(
      results.map(({ pod }) => pod),
      output,
    );
  }
  const [only] = results;
  const many = results.map(({ name, plan }) => ({ pod: name, patch: plan.patch }));
  return toJson(results.length === 1 ? only?.plan.patch : many);
}
