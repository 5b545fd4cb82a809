import type { JsonPatchOperation, Pod } from '../api/kubernetes.js';

/**
 * What becomes of `metadata.managedFields` of a pod that is written. `release`: it goes with the write, where nobody can miss it;
 * the API server then keeps no such books for this pod until somebody applies it server-side. `keep`: it is left alone.
 */
export type ManagedFieldsPolicy = 'release' | 'keep';

/** `kubectl apply` without `--server-side` writes it, and a later `--server-side` turns entries of the books over to itself. */
const CLIENT_SIDE_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The operation that takes the books of a pod away, or nothing where somebody may need them.
 *
 * More than half of what a write of a pod costs an API server is bringing these books up to date, and the kubelet's writes pay as
 * well (docs/explanation/scale.md). Only server-side apply reads them, and only entries of `Apply` decide what an apply removes; so
 * a pod that anybody has applied keeps all of them.
 *
 * One empty entry is Kubernetes' own way to say this; an empty list would mean "unchanged". It is an `add`, which also holds when
 * they went in the meantime: then the resourceVersion is what refuses the write.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#clearing-managedfields
 */
export function releaseOfManagedFields({ metadata }: Pod): JsonPatchOperation[] {
  const { managedFields, annotations } = metadata;
  if (!Array.isArray(managedFields) || managedFields.length === 0) return [];
  if (annotations?.[CLIENT_SIDE_APPLIED] !== undefined) return [];
  if (!managedFields.every((entry) => entry?.operation === 'Update')) return [];
  return [{ op: 'add', path: '/metadata/managedFields', value: [{}] }];
}
