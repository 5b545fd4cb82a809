import type { ResourceKind } from '@sidestep/kube';

const core = (plural: string, kind: string, namespaced = true): ResourceKind => ({
  group: '',
  version: 'v1',
  plural,
  kind,
  namespaced,
});

export const PODS = core('pods', 'Pod');
export const NAMESPACES = core('namespaces', 'Namespace', false);
export const EVENTS = core('events', 'Event');
export const SIDECARSETS: ResourceKind = {
  group: 'apps.kruise.io',
  version: 'v1beta1',
  plural: 'sidecarsets',
  kind: 'SidecarSet',
  namespaced: false,
};
export const REVISIONS: ResourceKind = {
  group: 'apps',
  version: 'v1',
  plural: 'controllerrevisions',
  kind: 'ControllerRevision',
  namespaced: true,
};
