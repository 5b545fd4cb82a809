import { injectedSidecarSets } from '@sidestep/controller';
import {
  type ControllerRevision,
  KRUISE,
  type Pod,
  type ProjectedPod,
  podProjection,
  type SidecarSet,
  Whitelist,
} from '@sidestep/core';
import { isNotFound, type KubeApi, type KubeObject, type ListOptions, type ResourceKind } from '@sidestep/kube';
import { CliError } from '../errors.js';
import type { RolloutSnapshot } from '../view/snapshot.js';
import { CONFIG_MAP, CONTROLLER_REVISION, NAMESPACE, POD, SIDECARSET } from './kinds.js';
import { selectorQuery } from './selector-query.js';

const PAGE = 500;

/** What the commands read of a cluster. Rejects with `KubeError`, and with `CliError` for a name that does not exist. */
export class ClusterReader {
  constructor(
    readonly api: KubeApi,
    readonly systemNamespace: string,
  ) {}

  async sidecarSet(name: string): Promise<SidecarSet> {
    const set = await this.findSidecarSet(name);
    if (set !== undefined) return set;
    const known = (await this.sidecarSets()).map(({ metadata }) => metadata.name).sort();
    throw new CliError('NOT_FOUND', `there is no SidecarSet "${name}"`, {
      hint: known.length === 0 ? 'There is none in this cluster.' : `There are: ${known.slice(0, 20).join(', ')}.`,
    });
  }

  findSidecarSet(name: string): Promise<SidecarSet | undefined> {
    return orUndefined(this.api.get<KubeObject & SidecarSet>(SIDECARSET, { name }));
  }

  sidecarSets(): Promise<SidecarSet[]> {
    return this.all<KubeObject & SidecarSet, SidecarSet>(SIDECARSET, {}, (set) => set);
  }

  revisionsOf(sidecarSet: string): Promise<ControllerRevision[]> {
    const options = {
      namespace: this.systemNamespace,
      labelSelector: `${KRUISE.revisionSidecarSetName}=${sidecarSet}`,
    };
    return this.all<KubeObject & ControllerRevision, ControllerRevision>(CONTROLLER_REVISION, options, (one) => one);
  }

  findPod(namespace: string, name: string): Promise<(Pod & { projected?: never }) | undefined> {
    return orUndefined(this.api.get<KubeObject & Pod & { projected?: never }>(POD, { namespace, name }));
  }

  /** Pods of this name, in whatever namespace. */
  podsNamed(name: string): Promise<Pod[]> {
    return this.all<KubeObject & Pod, Pod>(POD, { fieldSelector: `metadata.name=${name}` }, (pod) => pod);
  }

  /** Pods that carry the set, cut down to what the rules read. */
  async podsOf(set: SidecarSet, namespace: string | undefined): Promise<ProjectedPod[]> {
    const name = set.metadata.name ?? '';
    const labelSelector = set.spec.selector && selectorQuery(set.spec.selector);
    const options = { ...(namespace ? { namespace } : {}), ...(labelSelector ? { labelSelector } : {}) };
    const project = podProjection();
    const pods = await this.all<KubeObject & Pod, ProjectedPod | undefined>(POD, options, (pod) =>
      injectedSidecarSets(pod).includes(name) ? project(pod) : undefined,
    );
    return pods.filter((pod) => pod !== undefined);
  }

  /** Everything about one SidecarSet's rollout, read at one moment. */
  async snapshot(set: SidecarSet, namespace?: string): Promise<RolloutSnapshot> {
    const [revisions, pods, namespaces] = await Promise.all([
      this.revisionsOf(set.metadata.name ?? ''),
      this.podsOf(set, namespace),
      this.namespacesFor(set),
    ]);
    return { sidecarSet: set, revisions, pods, ...namespaces };
  }

  /** The whitelist of patchPodMetadata; undefined where there is none, or it may not be read. */
  async whitelist(): Promise<Whitelist | undefined> {
    const ref = { namespace: this.systemNamespace, name: KRUISE.whitelistConfigMap };
    const found = await orUndefined(this.api.get<KubeObject & { data?: Record<string, string> }>(CONFIG_MAP, ref));
    return Whitelist.parse(found?.data);
  }

  /** Labels of namespaces, where the set selects by them. */
  async namespacesFor({ spec }: SidecarSet): Promise<Pick<RolloutSnapshot, 'namespaceLabels'>> {
    if (spec.namespaceSelector === undefined) return {};
    const pairs = await this.all<KubeObject, [string, Record<string, string>]>(NAMESPACE, {}, ({ metadata }) => [
      metadata.name ?? '',
      metadata.labels ?? {},
    ]);
    const labels = new Map(pairs);
    return { namespaceLabels: (namespace) => labels.get(namespace) };
  }

  /** Page by page, so that ten thousand whole pods are never in memory at once. */
  private async all<T extends KubeObject, R>(
    kind: ResourceKind,
    options: ListOptions,
    keep: (item: T) => R,
  ): Promise<R[]> {
    const kept: R[] = [];
    let next: string | undefined;
    do {
      const page = await this.api.list<T>(kind, { ...options, limit: PAGE, ...(next ? { continue: next } : {}) });
      kept.push(...page.items.map(keep));
      next = page.metadata.continue || undefined;
    } while (next !== undefined);
    return kept;
  }
}

async function orUndefined<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
