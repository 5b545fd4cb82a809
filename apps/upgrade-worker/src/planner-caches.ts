import type { PlannerCache } from '@sidestep/controller';
import { injectedSidecarSets } from '@sidestep/controller';
import {
  type ControllerRevision,
  KRUISE,
  type Pod,
  type ProjectedPod,
  podProjection,
  SIDESTEP,
  type SidecarSet,
} from '@sidestep/core';
import {
  type KubeApi,
  type KubeObject,
  Reflector,
  type ReflectorEvent,
  type ResourceKind,
  Store,
} from '@sidestep/kube';
import type { Logger, Metrics } from '@sidestep/observability';
import { CONTROLLER_REVISION, NAMESPACE, POD, SIDECARSET } from './kinds.js';

interface Parts {
  api: KubeApi;
  namespace: string;
  log: Logger;
  metrics: Metrics;
}

interface Selection<T> {
  transform: (object: KubeObject) => T | undefined;
  namespace?: string;
  labelSelector?: string;
  /** Label of its metrics, where it is not the plural of the kind. */
  resource?: string;
}

type Labels = Readonly<Record<string, string>>;

/** A guard against events lost without a trace; differences reach the planner as ordinary changes. */
const RESYNC_MS = 30 * 60_000;

/**
 * The planner's view of the cluster: every SidecarSet, its ControllerRevisions, Namespace labels, and of pods only those that
 * carry a SidecarSet, cut down to what the rules read.
 */
export class PlannerCaches implements PlannerCache {
  readonly sidecarSets: Store<SidecarSet>;
  readonly pods: Store<ProjectedPod>;
  readonly pulls: Store<Pod>;
  readonly revisions: Store<ControllerRevision>;
  readonly namespaces: Store<Labels>;
  private readonly reflectors: Reflector<never>[];

  constructor(private readonly parts: Parts) {
    const onListenerError = (error: unknown): void => parts.log.error({ error }, 'a change could not be handled');
    this.sidecarSets = new Store({ onListenerError });
    this.pods = new Store<ProjectedPod>({ onListenerError, indexes: { sidecarSet: injectedSidecarSets } });
    this.pulls = new Store<Pod>({ onListenerError });
    this.revisions = new Store({ onListenerError, indexes: { sidecarSet: (revision) => [ownerOf(revision)] } });
    this.namespaces = new Store({ onListenerError });
    const project = podProjection();
    this.reflectors = [
      this.reflect(SIDECARSET, this.sidecarSets, { transform: withoutManagedFields<SidecarSet> }),
      this.reflect(POD, this.pods, { transform: (pod) => projectInjected(pod as unknown as Pod, project) }),
      this.reflect(POD, this.pulls, {
        transform: withoutManagedFields<Pod>,
        namespace: parts.namespace,
        labelSelector: `${SIDESTEP.pull}=true`,
        resource: 'pulls',
      }),
      this.reflect(CONTROLLER_REVISION, this.revisions, {
        transform: withoutManagedFields<ControllerRevision>,
        namespace: parts.namespace,
        labelSelector: KRUISE.revisionSidecarSetName,
      }),
      this.reflect(NAMESPACE, this.namespaces, { transform: ({ metadata }) => metadata.labels ?? {} }),
    ] as unknown as Reflector<never>[];
  }

  /** Which kinds were not listed yet; undefined once all are. */
  get missing(): string | undefined {
    const waiting = this.reflectors.filter((reflector) => !reflector.hasSynced).length;
    return waiting === 0 ? undefined : `${waiting} of ${this.reflectors.length} kinds are not listed yet`;
  }

  /** Resolves once everything was listed. */
  async start(): Promise<void> {
    for (const reflector of this.reflectors) reflector.start();
    await Promise.all(this.reflectors.map((reflector) => reflector.synced()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.reflectors.map((reflector) => reflector.stop()));
  }

  sidecarSetNames(): Iterable<string> {
    return this.sidecarSets.keys();
  }

  sidecarSet(name: string): SidecarSet | undefined {
    return this.sidecarSets.get(name);
  }

  podsOf(sidecarSet: string): Iterable<ProjectedPod> {
    return this.pods.by('sidecarSet', sidecarSet);
  }

  pullPods(): Iterable<Pod> {
    return this.pulls.values();
  }

  revisionsOf(sidecarSet: string): ControllerRevision[] {
    return this.revisions.by('sidecarSet', sidecarSet);
  }

  namespaceLabels(namespace: string): Labels | undefined {
    return this.namespaces.get(namespace);
  }

  private reflect<T>(
    kind: ResourceKind,
    store: Store<T>,
    { resource = kind.plural, ...options }: Selection<T>,
  ): Reflector<T> {
    const { api, metrics } = this.parts;
    store.subscribe(() => metrics.reflectorObjects.set({ resource }, store.size));
    const onEvent = (event: ReflectorEvent): void => this.heard(resource, event);
    return new Reflector<T>({ api, kind, store, resyncMs: RESYNC_MS, onEvent, ...options });
  }

  private heard(resource: string, event: ReflectorEvent): void {
    const { log, metrics } = this.parts;
    switch (event.type) {
      case 'relist':
        metrics.reflectorRelists.inc({ resource, reason: event.reason });
        break;
      case 'failed':
        metrics.reflectorFailures.inc({ resource, during: event.during });
        log.warn(
          { resource, during: event.during, error: event.error, retryInMs: event.retryInMs },
          'reflector failed',
        );
        break;
      case 'watchSilent':
        metrics.reflectorFailures.inc({ resource, during: 'silence' });
        break;
      case 'dropped':
        metrics.reflectorFailures.inc({ resource, during: 'transform' });
        log.error({ resource, error: event.error }, 'an object could not be read');
        break;
      case 'synced':
        log.info({ resource, objects: event.objects }, 'listed');
        break;
      case 'listed':
      case 'watchEnded':
        break;
    }
  }
}

const ownerOf = ({ metadata }: ControllerRevision): string => metadata.labels?.[KRUISE.revisionSidecarSetName] ?? '';

const projectInjected = (pod: Pod, project: (pod: Pod) => ProjectedPod): ProjectedPod | undefined =>
  injectedSidecarSets(pod).length === 0 ? undefined : project(pod);

const withoutManagedFields = <T>(object: KubeObject): T => {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata } as unknown as T;
};
