import { SIDESTEP } from '../api/keys.js';
import type { LabelSelector } from '../api/kubernetes.js';
import { isEmptySelector, matchesSelector, NAMESPACE_NAME_LABEL } from '../api/selectors.js';
import { canaryBaseOf } from '../api/validation/conflicts.js';
import type { CompiledSidecarSet } from './compile-sidecarset.js';
import type { InjectionInput, SkippedSidecarSet, SkipReason } from './injection-plan.js';

/** The SidecarSets to inject, by name, and those that select the pod but are left out. */
export interface Selection {
  selected: CompiledSidecarSet[];
  skipped: SkippedSidecarSet[];
}

type Leave = { reason: SkipReason; message: string } | undefined;

/**
 * Which SidecarSets a pod gets: those whose selectors match it (an empty one matches nothing), unless they are paused, the pod
 * opts out, or a canary of theirs takes their place.
 */
export function selectSidecarSets(input: InjectionInput): Selection {
  const labels = input.pod.metadata.labels ?? {};
  const selection: Selection = { selected: [], skipped: [] };
  const leaveOut = (compiled: CompiledSidecarSet, leave: NonNullable<Leave>): void => {
    selection.skipped.push({ sidecarSet: compiled.name, ...leave });
  };
  const optOut = optOutOf(input);
  for (const compiled of input.sidecarSets.candidates(labels, input.namespace)) {
    const { selector, namespaceSelector } = compiled.sidecarSet.spec;
    if (selector === undefined || isEmptySelector(selector) || !matchesSelector(selector, labels)) continue;
    const inNamespace = namespaceMatches(namespaceSelector, input);
    if (inNamespace === false) continue;
    const leave =
      inNamespace === undefined ? namespaceUnknown(input.namespace) : (pausedBy(compiled) ?? optOut(compiled.name));
    if (leave === undefined) selection.selected.push(compiled);
    else leaveOut(compiled, leave);
  }
  return withoutReplaced(selection);
}

/** Undefined: cannot be told, since the Namespace is not in memory. */
function namespaceMatches(selector: LabelSelector | undefined, input: InjectionInput): boolean | undefined {
  if (selector === undefined) return true;
  if (isEmptySelector(selector)) return false;
  const byName = { [NAMESPACE_NAME_LABEL]: input.namespace };
  if (input.namespaceLabels !== undefined) return matchesSelector(selector, { ...byName, ...input.namespaceLabels });
  const keys = [...Object.keys(selector.matchLabels ?? {}), ...(selector.matchExpressions ?? []).map(({ key }) => key)];
  return keys.every((key) => key === NAMESPACE_NAME_LABEL) ? matchesSelector(selector, byName) : undefined;
}

function namespaceUnknown(namespace: string): NonNullable<Leave> {
  return { reason: 'NamespaceUnknown', message: `the labels of namespace ${namespace} are not known yet` };
}

function pausedBy({ sidecarSet }: CompiledSidecarSet): Leave {
  if (!sidecarSet.spec.injectionStrategy?.paused) return undefined;
  return { reason: 'InjectionPaused', message: 'injectionStrategy.paused is true' };
}

function optOutOf({ pod }: InjectionInput): (sidecarSet: string) => Leave {
  const annotations = pod.metadata.annotations;
  if (annotations?.[SIDESTEP.inject] === 'false') {
    return () => ({ reason: 'PodOptedOut', message: `the pod has the annotation ${SIDESTEP.inject}: "false"` });
  }
  const skipped = new Set(annotations?.[SIDESTEP.skipSidecarSets]?.split(',').map((name) => name.trim()));
  return (sidecarSet) =>
    skipped.has(sidecarSet)
      ? { reason: 'SkippedByPod', message: `the pod's annotation ${SIDESTEP.skipSidecarSets} names it` }
      : undefined;
}

/** A canary SidecarSet stands in for its base wherever both match (annotations of OpenKruise's master, after 1.9). */
function withoutReplaced({ selected, skipped }: Selection): Selection {
  const canaryOf = new Map<string, string>();
  for (const { name, sidecarSet } of selected) {
    const base = canaryBaseOf(sidecarSet);
    if (base !== undefined) canaryOf.set(base, name);
  }
  if (canaryOf.size === 0) return { selected, skipped };
  const replaced = selected
    .filter(({ name }) => canaryOf.has(name))
    .map(({ name }) => ({
      sidecarSet: name,
      reason: 'ReplacedByCanary' as const,
      message: `its canary ${canaryOf.get(name)} is injected instead`,
    }));
  return { selected: selected.filter(({ name }) => !canaryOf.has(name)), skipped: [...skipped, ...replaced] };
}
