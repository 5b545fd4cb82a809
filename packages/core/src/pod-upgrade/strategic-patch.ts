import type { JsonPatch } from '../api/kubernetes.js';
import { tokensOf } from '../injection/apply-json-patch.js';
import type { FullPod } from './types.js';

/** A strategic merge patch of a pod: https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/ */
export interface PodStrategicPatch {
  metadata: Record<string, unknown>;
  spec?: Record<string, { name: string; image: unknown }[]>;
}

/**
 * The same write as a strategic merge patch. An API server merges that into the pod it holds, whereas for a JSON Patch it prints and reads
 * the whole pod (docs/explanation/scale.md).
 *
 * @param pod as it was when the patch was decided: containers are named here, and counted in a JSON Patch
 * @throws {TypeError} for an operation that `decidePodUpgrade` never makes
 */
export function strategicPatchOf(pod: Pick<FullPod, 'spec'>, patch: JsonPatch): PodStrategicPatch {
  const metadata: Record<string, unknown> = {};
  const annotations: Record<string, unknown> = {};
  const spec: NonNullable<PodStrategicPatch['spec']> = {};
  for (const operation of patch) {
    const [root, field = '', key, leaf] = tokensOf(operation.path);
    if (operation.op === 'remove' || operation.op === 'test') throw unknown(operation.op, operation.path);
    const { value } = operation;
    if (root === 'metadata' && field === 'annotations') {
      if (key !== undefined) annotations[key] = value;
    } else if (root === 'metadata' && key === undefined) metadata[field] = value;
    else if (root === 'spec' && leaf === 'image') {
      const name = containersOf(pod, field)[Number(key)]?.name;
      if (name === undefined) throw unknown(operation.op, operation.path);
      spec[field] = [...(spec[field] ?? []), { name, image: value }];
    } else throw unknown(operation.op, operation.path);
  }
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations;
  return Object.keys(spec).length > 0 ? { metadata, spec } : { metadata };
}

const containersOf = ({ spec }: Pick<FullPod, 'spec'>, field: string): readonly { name: string }[] =>
  (field === 'containers' ? spec.containers : field === 'initContainers' ? spec.initContainers : undefined) ?? [];

const unknown = (op: string, path: string): TypeError => new TypeError(`no strategic merge patch says "${op} ${path}"`);
