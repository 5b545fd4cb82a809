import type { ControllerRevision, SidecarSet } from '@sidestep/core';
import type { KubeObject } from '@sidestep/kube';

/** Written by kubectl apply: the whole object once more. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Without what only API servers and kubectl read; it is more than half of most objects. */
export function trim<T extends KubeObject>(object: T): T {
  const { managedFields: _managedFields, annotations, ...metadata } = object.metadata;
  if (annotations === undefined) return { ...object, metadata };
  const { [LAST_APPLIED]: _lastApplied, ...kept } = annotations;
  return { ...object, metadata: { ...metadata, annotations: kept } };
}

/** A SidecarSet as the API server stores it; throws for an object that is none. */
export function asSidecarSet(object: KubeObject): SidecarSet {
  const set = trim(object) as unknown as SidecarSet;
  if (typeof set.spec !== 'object' || set.spec === null) throw new TypeError('a SidecarSet without a spec');
  return set;
}

export const asRevision = (object: KubeObject): ControllerRevision => trim(object) as unknown as ControllerRevision;
