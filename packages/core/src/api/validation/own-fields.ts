import { containerNamesInPod, initContainerNamesInPod, isNativeSidecar } from '../container-kinds.js';
import { duplicate, type FieldError, invalid, notSupported } from '../field-error.js';
import type { CanaryStep, FailurePolicy, SidecarSetSpec, UpdateStrategy } from '../sidecarset.js';
import { validateIntOrPercent } from './update-strategy.js';

/** Rules that OpenKruise does not have: for Sidestep's own fields, and for the names of hot pairs. */
export function validateOwnFields(spec: SidecarSetSpec, path: string): FieldError[] {
  return [
    ...oneOf(
      spec.injectionStrategy?.onNameConflict,
      ['Overwrite', 'Reject'],
      `${path}.injectionStrategy.onNameConflict`,
    ),
    ...validateStrategy(spec.updateStrategy ?? {}, `${path}.updateStrategy`),
    ...validateHotPairNames(spec, path),
  ];
}

function validateStrategy(strategy: UpdateStrategy, path: string): FieldError[] {
  return [
    ...atLeast(1, strategy.progressDeadlineSeconds, `${path}.progressDeadlineSeconds`),
    ...(strategy.failurePolicy ? validateFailurePolicy(strategy.failurePolicy, `${path}.failurePolicy`) : []),
    ...validateSteps(strategy.steps ?? [], `${path}.steps`),
    ...atLeast(0, strategy.minReadySeconds, `${path}.minReadySeconds`),
    ...oneOf(strategy.nativeSidecars, ['InPlace'], `${path}.nativeSidecars`),
  ];
}

function validateFailurePolicy(policy: FailurePolicy, path: string): FieldError[] {
  return [
    ...validateIntOrPercent(policy.maxFailures, `${path}.maxFailures`),
    ...oneOf(policy.podAction, ['Abort', 'Keep'], `${path}.podAction`),
    ...oneOf(policy.action, ['Pause', 'Rollback'], `${path}.action`),
  ];
}

/** Each step raises how many pods may be updated; numbers and percentages are compared with their own kind only. */
function validateSteps(steps: CanaryStep[], path: string): FieldError[] {
  const highest = { number: 0, percent: 0 };
  return steps.flatMap(({ pods, pause }, i) => {
    const at = `${path}[${i}]`;
    const errors = [...validateIntOrPercent(pods, `${at}.pods`), ...atLeast(0, pause?.seconds, `${at}.pause.seconds`)];
    if (errors.length > 0) return errors;
    const kind = typeof pods === 'number' ? 'number' : 'percent';
    const value = typeof pods === 'number' ? pods : Number.parseInt(pods, 10);
    if (kind === 'percent' && value > 100) return [invalid(`${at}.pods`, pods, 'must be no more than 100%')];
    if (value < highest[kind]) return [invalid(`${at}.pods`, pods, 'must not be less than the step before it')];
    highest[kind] = value;
    return [];
  });
}

/** A hot sidecar `mesh` takes the names `mesh-1` and `mesh-2` in the pod. */
function validateHotPairNames(spec: SidecarSetSpec, path: string): FieldError[] {
  const taken = new Map<string, string>();
  const errors: FieldError[] = [];
  for (const list of ['containers', 'initContainers'] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) {
      const names = (list === 'containers' ? containerNamesInPod : initContainerNamesInPod)(container);
      for (const name of names) {
        const owner = taken.get(name);
        const isPair = owner !== container.name;
        if (owner !== undefined && isPair) errors.push(duplicate(`${path}.${list}[${i}].name`, name));
        taken.set(name, container.name);
      }
    }
  }
  return errors;
}

/** OpenKruise's rule, unless the set asks for Sidestep's in-place upgrade of native sidecars. */
export function refusesNativeUpgrade({ initContainers, updateStrategy }: SidecarSetSpec): number {
  if (updateStrategy?.type !== 'RollingUpdate' || updateStrategy.nativeSidecars === 'InPlace') return 0;
  return initContainers?.filter(isNativeSidecar).length ?? 0;
}

function oneOf(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  return value === undefined || allowed.includes(value) ? [] : [notSupported(path, value, allowed)];
}

function atLeast(least: number, value: number | undefined, path: string): FieldError[] {
  if (value === undefined || value >= least) return [];
  return [invalid(path, value, `must be greater than or equal to ${least}`)];
}
