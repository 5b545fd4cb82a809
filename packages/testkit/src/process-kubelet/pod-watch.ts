import { type KubeApi, KubeError, Reflector } from '@sidestep/kube';
import type { PodObject } from './pod-spec.js';
import { PODS } from './status-writer.js';

/** Follows the pods of one node. The uid tells pods apart: a new pod under an old name is a removal and an arrival. */
export function watchPodsOf(
  api: KubeApi,
  node: string,
  handlers: { seen(pod: PodObject): void; removed(uid: string): void },
): Reflector<PodObject> {
  const reflector = new Reflector<PodObject>({ api, kind: PODS, fieldSelector: `spec.nodeName=${node}` });
  reflector.store.subscribe((change) => {
    if (change.type === 'deleted') return handlers.removed(change.object.metadata.uid ?? '');
    const before = change.type === 'updated' ? change.previous.metadata.uid : undefined;
    if (before && before !== change.object.metadata.uid) handlers.removed(before);
    handlers.seen(change.object);
  });
  return reflector;
}

/** Binds every pod that has no node to this one, as a scheduler that knows one node. */
export function bindPodsTo(api: KubeApi, node: string, onError: (error: unknown) => void): Reflector<PodObject> {
  const reflector = new Reflector<PodObject>({ api, kind: PODS, fieldSelector: 'spec.nodeName=' });
  reflector.store.subscribe((change) => {
    if (change.type === 'deleted' || change.object.spec.nodeName || change.object.metadata.deletionTimestamp) return;
    const { namespace = 'default', name = '' } = change.object.metadata;
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    };
    api.create(PODS, binding, { subresource: 'binding' }).catch((error) => {
      // Bound by somebody else meanwhile.
      if (!(error instanceof KubeError && error.status === 409)) onError(error);
    });
  });
  return reflector;
}
