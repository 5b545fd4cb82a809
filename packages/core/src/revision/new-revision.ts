import { KRUISE } from '../api/keys.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { API_V1BETA1, customVersionOf } from '../api/versions.js';
import type { RevisionData } from './revision-data.js';

/** The longest part of a name before the hash that Kubernetes leaves whole. */
const MAX_PREFIX = 223;

/** The name of a SidecarSet's revision with this hash. */
export function revisionName(set: SidecarSet, hash: string): string {
  return `${(set.metadata.name ?? '').slice(0, MAX_PREFIX)}-${hash}`;
}

interface NewRevision {
  set: SidecarSet;
  namespace: string;
  data: RevisionData;
  hash: string;
  number: number;
}

/** A ControllerRevision as OpenKruise 1.9 makes it: with all labels and annotations of the set, and owned by it. */
export function newRevision({ set, namespace, data, hash, number }: NewRevision): ControllerRevision {
  const { name = '', uid = '', labels, annotations } = set.metadata;
  const version = customVersionOf(set);
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: revisionName(set, hash),
      namespace,
      labels: {
        ...labels,
        [KRUISE.revisionSidecarSetName]: name,
        ...(version === undefined ? {} : { [KRUISE.customVersion]: version }),
        [KRUISE.controllerRevisionHash]: hash,
      },
      annotations: { ...annotations },
      ownerReferences: [
        { apiVersion: API_V1BETA1, kind: 'SidecarSet', name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    data,
    revision: number,
  };
}
