import { type FieldError, required } from '../field-error.js';
import type { SidecarSet } from '../sidecarset.js';
import type { Whitelist } from '../whitelist.js';
import { validateAnnotations } from './metadata.js';

/** `spec.patchPodMetadata`; without a whitelist it is refused. */
export function validatePodMetadata(set: SidecarSet, whitelist: Whitelist | undefined, path: string): FieldError[] {
  const patches = set.spec.patchPodMetadata ?? [];
  if (patches.length === 0) return [];
  const errors: FieldError[] = [];
  const refusal = whitelist === undefined ? 'SidecarSet patch metadata whitelist not found' : whitelist.refusal(set);
  if (refusal !== undefined) errors.push(required(path, refusal));
  const seen = new Set<string>();
  for (const { annotations = {}, patchPolicy } of patches) {
    const keys = Object.keys(annotations).sort();
    if (keys.length === 0) errors.push(required(path, 'no annotations defined for SidecarSet'));
    else errors.push(...validateAnnotations(annotations, 'patchPodMetadata.annotations'));
    if (!patchPolicy) errors.push(required(path, 'no patchPolicy defined for patchPodMetadata'));
    for (const key of keys) {
      if (seen.has(key)) errors.push(required(path, `patch annotation[${key}] already exist`));
      seen.add(key);
    }
  }
  return errors;
}
