import { isObject } from './compare.js';
import type { RecordedOrder } from './golden-case.js';
import { withoutSuffix } from './normalise.js';

/** What a recorded order lists, in turn. */
const LISTS = ['containers', 'initContainers', 'volumes', 'imagePullSecrets'] as const;

/**
 * An answer with its pod's lists in another order that was recorded of the same request, or undefined where that order is not of
 * the same elements.
 */
export function inOrder(answer: unknown, order: RecordedOrder): unknown {
  if (!isObject(answer) || !isObject(answer.patched) || !isObject(answer.patched.spec)) return undefined;
  const spec = { ...answer.patched.spec };
  for (const [index, list] of LISTS.entries()) {
    const ordered = sorted(spec[list], (order[index] ?? []).map(withoutSuffix));
    if (ordered === undefined) return undefined;
    if (ordered.length > 0 || spec[list] !== undefined) spec[list] = ordered;
  }
  return { ...answer, patched: { ...answer.patched, spec } };
}

function sorted(list: unknown, names: readonly string[]): unknown[] | undefined {
  const elements = (Array.isArray(list) ? list : []) as { name: string }[];
  if (elements.length !== names.length) return undefined;
  const found = names.map((name) => elements.find((element) => element.name === name));
  return found.includes(undefined) ? undefined : found;
}
