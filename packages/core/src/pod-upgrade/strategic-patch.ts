import type { JsonPatch } from '../api/kubernetes.js';
import { tokensOf } from '../injection/apply-json-patch.js';
import type { FullPod } from './types.js';

/** A strategic merge patch of a pod: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/ */
export interface PodStrategicPatch {
  metadata: Record<string, unknown>;
  /** By list, in the order of the pod. */
  spec?: Record<string, { name: string; image: unknown }[]>;
}

interface Change {
  /** In the pod's list. */
  index: number;
  name: string;
  image: unknown;
}

/**
 * The same write as a strategic merge patch. An API server merges that into the pod it holds, whereas for a JSON Patch it prints and reads
 * the whole pod (docs/explanation/scale.md).
 *
 * The order in which such a patch names the items of a list is the order that they are to have, and an API server refuses a pod whose
 * containers move (422). So they come in the order of the pod, whatever the order in which the SidecarSet has them.
 *
 * @param pod as it was when the patch was decided: containers are named here, and counted in a JSON Patch
 * @throws {TypeError} for an operation that `decidePodUpgrade` never makes
 */
export function strategicPatchOf(pod: Pick<FullPod, 'spec'>, patch: JsonPatch): PodStrategicPatch {
  const metadata: Record<string, unknown> = {};
  const annotations: Record<string, unknown> = {};
  const changes: Record<string, Change[]> = {};
  for (const operation of patch) {
    const [root, field = '', key, leaf] = tokensOf(operation.path);
    if (operation.op === 'remove' || operation.op === 'test') throw unknown(operation.op, operation.path);
    const { value } = operation;
    if (root === 'metadata' && field === 'annotations') {
      if (key !== undefined) annotations[key] = value;
    } else if (root === 'metadata' && key === undefined) metadata[field] = value;
    else if (root === 'spec' && leaf === 'image') {
      const index = Number(key);
      const name = containersOf(pod, field)[index]?.name;
      if (name === undefined) throw unknown(operation.op, operation.path);
      changes[field] = [...(changes[field] ?? []), { index, name, image: value }];
    } else throw unknown(operation.op, operation.path);
  }
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations;
  const lists = Object.entries(changes).map(([field, list]) => [field, inOrderOfThePod(list)]);
  return lists.length > 0 ? { metadata, spec: Object.fromEntries(lists) } : { metadata };
}

const inOrderOfThePod = (changes: readonly Change[]): { name: string; image: unknown }[] =>
  changes.toSorted((a, b) => a.index - b.index).map(({ name, image }) => ({ name, image }));

const containersOf = ({ spec }: Pick<FullPod, 'spec'>, field: string): readonly { name: string }[] =>
  (field === 'containers' ? spec.containers : field === 'initContainers' ? spec.initContainers : undefined) ?? [];

const unknown = (op: string, path: string): TypeError => new TypeError(`no strategic merge patch says "${op} ${path}"`);
