import type { ResourceKind } from '@sidestep/kube';

/** The resources that the upgrade worker reads and writes. */
export const POD: ResourceKind = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

export const NAMESPACE: ResourceKind = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};

/** v1beta1 is the version that is stored, and the one every rule works on. */
export const SIDECARSET: ResourceKind = {
  group: 'apps.kruise.io',
  version: 'v1beta1',
  plural: 'sidecarsets',
  kind: 'SidecarSet',
  namespaced: false,
};

export const CONTROLLER_REVISION: ResourceKind = {
  group: 'apps',
  version: 'v1',
  plural: 'controllerrevisions',
  kind: 'ControllerRevision',
  namespaced: true,
};
