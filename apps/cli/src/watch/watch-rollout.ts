import { injectedSidecarSets } from '@sidestep/controller';
import {
  type ControllerRevision,
  KRUISE,
  type Pod,
  type ProjectedPod,
  podProjection,
  type SidecarSet,
} from '@sidestep/core';
import { type KubeObject, Reflector, type ReflectorOptions, Store } from '@sidestep/kube';
import type { ClusterReader } from '../cluster/cluster-reader.js';
import { CONTROLLER_REVISION, POD, SIDECARSET } from '../cluster/kinds.js';
import { selectorQuery } from '../cluster/selector-query.js';
import type { RolloutSnapshot } from '../view/snapshot.js';
import { Latest } from './latest.js';

/** A SidecarSet's rollout, again and again as it changes. Ends when the signal aborts or the SidecarSet is deleted. */
export async function* watchRollout(
  cluster: ClusterReader,
  set: SidecarSet,
  options: { namespace?: string | undefined; signal: AbortSignal },
): AsyncGenerator<RolloutSnapshot> {
  const name = set.metadata.name ?? '';
  const project = podProjection();
  const sets = new Store<SidecarSet>();
  const pods = new Store<ProjectedPod>();
  const revisions = new Store<ControllerRevision>();
  const changes = new Latest(options.signal);
  const labelSelector = set.spec.selector && selectorQuery(set.spec.selector);
  const reflectors = [
    reflect(cluster, SIDECARSET, sets, { fieldSelector: `metadata.name=${name}`, transform: whole<SidecarSet> }),
    reflect(cluster, POD, pods, {
      ...(options.namespace ? { namespace: options.namespace } : {}),
      ...(labelSelector ? { labelSelector } : {}),
      transform: (pod) => (injectedSidecarSets(pod as Pod).includes(name) ? project(pod as Pod) : undefined),
    }),
    reflect(cluster, CONTROLLER_REVISION, revisions, {
      namespace: cluster.systemNamespace,
      labelSelector: `${KRUISE.revisionSidecarSetName}=${name}`,
      transform: whole<ControllerRevision>,
    }),
  ];
  const namespaces = await cluster.namespacesFor(set);
  for (const store of [sets, pods, revisions]) store.subscribe(() => changes.happened());
  try {
    for (const reflector of reflectors) reflector.start();
    await Promise.race([Promise.all(reflectors.map((reflector) => reflector.synced())), changes.ended]);
    while (!options.signal.aborted) {
      const sidecarSet = sets.get(name);
      if (sidecarSet === undefined) return;
      yield { sidecarSet, revisions: [...revisions.values()], pods: [...pods.values()], ...namespaces };
      await changes.next();
    }
  } finally {
    await Promise.all(reflectors.map((reflector) => reflector.stop()));
  }
}

/** A SidecarSet alone, as it changes; for whoever waits for its status. */
export async function* watchSidecarSet(
  cluster: ClusterReader,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<SidecarSet> {
  const sets = new Store<SidecarSet>();
  const changes = new Latest(signal);
  const reflector = reflect(cluster, SIDECARSET, sets, {
    fieldSelector: `metadata.name=${name}`,
    transform: whole<SidecarSet>,
  });
  sets.subscribe(() => changes.happened());
  try {
    reflector.start();
    await Promise.race([reflector.synced(), changes.ended]);
    while (!signal.aborted) {
      const set = sets.get(name);
      if (set === undefined) return;
      yield set;
      await changes.next();
    }
  } finally {
    await reflector.stop();
  }
}

const whole = <T>(object: KubeObject): T => object as unknown as T;

const reflect = <T>(
  { api }: ClusterReader,
  kind: ReflectorOptions<T>['kind'],
  store: Store<T>,
  options: Pick<ReflectorOptions<T>, 'namespace' | 'labelSelector' | 'fieldSelector' | 'transform'>,
): Reflector<T> => new Reflector<T>({ api, kind, store, ...options });
