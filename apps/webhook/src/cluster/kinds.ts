import type { ResourceKind } from '@sidestep/kube';

const core = (plural: string, kind: string, namespaced: boolean): ResourceKind => ({
  group: '',
  version: 'v1',
  plural,
  kind,
  namespaced,
});

const registration = (plural: string, kind: string): ResourceKind => ({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural,
  kind,
  namespaced: false,
});

export const SIDECAR_SET: ResourceKind = {
  group: 'apps.kruise.io',
  version: 'v1beta1',
  plural: 'sidecarsets',
  kind: 'SidecarSet',
  namespaced: false,
};
export const NAMESPACE = core('namespaces', 'Namespace', false);
export const CONFIG_MAP = core('configmaps', 'ConfigMap', true);
export const SECRET = core('secrets', 'Secret', true);
export const CONTROLLER_REVISION: ResourceKind = {
  group: 'apps',
  version: 'v1',
  plural: 'controllerrevisions',
  kind: 'ControllerRevision',
  namespaced: true,
};
export const MUTATING = registration('mutatingwebhookconfigurations', 'MutatingWebhookConfiguration');
export const VALIDATING = registration('validatingwebhookconfigurations', 'ValidatingWebhookConfiguration');
export const CRD: ResourceKind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};
