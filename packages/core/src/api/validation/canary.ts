import { type FieldError, forbidden, invalid, required } from '../field-error.js';
import { KRUISE } from '../keys.js';
import type { SidecarSet } from '../sidecarset.js';

/**
 * The rules for a canary SidecarSet, which stands in for its base on the pods that both match: the base exists, is another set,
 * is no canary itself, and never changes; the canary does not upgrade running pods.
 */
export function validateCanary(set: SidecarSet, old: SidecarSet | undefined, all: Iterable<SidecarSet>): FieldError[] {
  const annotations = set.metadata.annotations ?? {};
  const path = `metadata.annotations[${KRUISE.canaryBase}]`;
  if (annotations[KRUISE.canary] !== 'true') return [];
  const base = annotations[KRUISE.canaryBase] ?? '';
  if (base === '') return [required(path, 'base sidecarSet cannot be empty')];
  const errors: FieldError[] = [];
  const before = old?.metadata.annotations?.[KRUISE.canaryBase];
  if (before !== undefined && before !== base) errors.push(forbidden(path, 'base sidecarSet is immutable'));
  if (set.spec.updateStrategy?.type !== 'NotUpdate') {
    errors.push(
      invalid(
        'spec.updateStrategy.type',
        set.spec.updateStrategy?.type,
        'RollingUpdate is not supported for canary sidecarSet',
      ),
    );
  }
  return [...errors, ...validateBase(set, base, all, path)];
}

function validateBase(set: SidecarSet, name: string, all: Iterable<SidecarSet>, path: string): FieldError[] {
  if (name === set.metadata.name) return [invalid(path, name, 'base sidecarSet cannot be itself')];
  const base = [...all].find((each) => each.metadata.name === name);
  if (base === undefined) {
    const detail = `fetch base sidecarSet[${name}] failed: SidecarSet.apps.kruise.io "${name}" not found`;
    return [invalid(path, name, detail)];
  }
  if (base.metadata.annotations?.[KRUISE.canary] !== 'true') return [];
  return [invalid(path, name, 'base sidecarSet cannot be canary sidecarSet')];
}
