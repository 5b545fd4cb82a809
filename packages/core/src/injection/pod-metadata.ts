import type { PatchPodMetadata } from '../api/sidecarset.js';
import { InjectionRefused } from './injection-plan.js';
import { MergeJsonError, mergeJson } from './merge-json.js';

/**
 * Applies a SidecarSet's `patchPodMetadata` to annotations, in place.
 *
 * `Retain` (and no policy) fills keys that are absent, `Overwrite` sets, `MergePatchJson` merges JSON texts by RFC 7386 and
 * sets what is absent or empty; any other policy does nothing. The rule is OpenKruise 1.9's, for admission and for upgrades.
 *
 * @throws {InjectionRefused} when a text to be merged is no JSON
 */
export function patchPodAnnotations(annotations: Record<string, string>, patches: readonly PatchPodMetadata[]): void {
  for (const { annotations: changes = {}, patchPolicy } of patches) {
    for (const [key, value] of Object.entries(changes)) {
      const changed = changedValue(Object.hasOwn(annotations, key) ? annotations[key] : undefined, value, patchPolicy);
      if (changed !== undefined) annotations[key] = changed;
    }
  }
}

function changedValue(before: string | undefined, value: string, policy: string | undefined): string | undefined {
  switch (policy) {
    case undefined:
    case '':
    case 'Retain':
      return before ?? value;
    case 'Overwrite':
      return value;
    case 'MergePatchJson':
      return before ? merged(before, value) : value;
    default:
      return before;
  }
}

function merged(before: string, value: string): string {
  try {
    return mergeJson(before, value);
  } catch (error) {
    if (!(error instanceof MergeJsonError)) throw error;
    throw new InjectionRefused(error.message, 'Correct the annotation that patchPodMetadata merges into.', error);
  }
}
