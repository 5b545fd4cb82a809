import type { KubeApi, KubeObject, ResourceKind } from '@sidestep/kube';
import { readManifests } from '@sidestep/testkit';

const plural = (kind: string): string => (kind.endsWith('y') ? `${kind.slice(0, -1)}ies` : `${kind}s`).toLowerCase();

const CLUSTER_SCOPED = new Set([
  'Namespace',
  'Node',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleBinding',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'PriorityClass',
]);

const kindOf = (object: KubeObject): ResourceKind => {
  const [group, version] = object.apiVersion!.includes('/') ? object.apiVersion!.split('/') : ['', object.apiVersion!];
  const kind = object.kind!;
  return { group: group!, version: version!, plural: plural(kind), kind, namespaced: !CLUSTER_SCOPED.has(kind) };
};

const isLast = (object: KubeObject): boolean => object.kind!.endsWith('WebhookConfiguration');

/**
 * Applies the shipped YAML as `kubectl apply --server-side` would: definitions first, webhooks last, so that no object waits for a
 * webhook that cannot be there yet.
 */
export const applyManifests = async (api: KubeApi, folders: readonly string[]): Promise<void> => {
  const objects = (await readManifests(folders)) as KubeObject[];
  const ordered = [...objects.filter((object) => !isLast(object)), ...objects.filter(isLast)];
  for (const object of ordered) {
    const { name, namespace } = object.metadata;
    const ref = namespace === undefined ? { name: name! } : { name: name!, namespace };
    await api.patch(kindOf(object), ref, object, { type: 'apply', fieldManager: 'sidestep-install', force: true });
  }
};
