import {
  API_V1ALPHA1,
  API_V1BETA1,
  type Container,
  type ContainerStatus,
  type ControllerRevision,
  convertSidecarSet,
  decideRevisions,
  defaultSidecarSet,
  KRUISE,
  type Pod,
  type PodCondition,
  type SidecarSet,
  type SidecarSetSpec,
  type SidecarSetStatus,
  withHashes,
} from '@sidestep/core';
import type { TraceCase, TraceEntry } from './golden-case.js';

interface Changed {
  annotations?: Record<string, string>;
  generation?: number;
  spec?: SidecarSetSpec;
  status?: SidecarSetStatus;
  containers?: Container[];
  statuses?: (Omit<ContainerStatus, 'state'> & { name: string; state: string })[];
  conditions?: PodCondition[];
  phase?: string;
}

/** The cluster of a trace at one moment: the SidecarSet and its pods as the watch last showed them. */
export class TraceWorld {
  readonly pods = new Map<string, Pod>();
  set: SidecarSet;
  /** Of every spec that the SidecarSet had so far. */
  revisions: ControllerRevision[] = [];
  /** False for a trace without the SidecarSet's own events: then only its images are known. */
  readonly isSetRecorded: boolean;
  /** The resourceVersion of the last write of the spec: OpenKruise stamps that one, not that of a later status write. */
  private specVersion = '';

  private readonly template: Pod['metadata'];

  constructor({ sidecarSet, pod, trace }: TraceCase) {
    const labels = pod?.metadata.labels ?? sidecarSet.spec.selector?.matchLabels;
    this.template = { namespace: 'trace', ...(labels ? { labels } : {}) };
    this.set =
      sidecarSet.apiVersion === API_V1ALPHA1 ? convertSidecarSet(sidecarSet, API_V1BETA1) : structuredClone(sidecarSet);
    this.isSetRecorded = trace.some(({ kind }) => kind === 'sidecarset');
  }

  /** Takes in one watch event; returns the pod before and after it. */
  apply(entry: TraceEntry): { before: Pod | undefined; after: Pod } | undefined {
    if (entry.kind === 'sidecarset') this.applySet(entry);
    if (entry.kind !== 'pod') return undefined;
    const name = entry.name ?? '';
    const before = this.pods.get(name);
    if (entry.event === 'DELETED') {
      this.pods.delete(name);
      return undefined;
    }
    const after = podAfter(
      before ?? { metadata: { ...this.template, name, uid: name }, spec: { containers: [] } },
      entry,
    );
    if (!this.isSetRecorded) this.inferSet(after);
    this.pods.set(name, after);
    return { before, after };
  }

  private applySet({ resourceVersion = '', changed = {} }: TraceEntry): void {
    const { annotations, generation, spec, status } = changed as Changed;
    if (status === undefined || spec !== undefined) this.specVersion = resourceVersion;
    const metadata = { ...this.set.metadata, resourceVersion: this.specVersion };
    this.set = {
      ...this.set,
      metadata: { ...metadata, ...(annotations ? { annotations } : {}), ...(generation ? { generation } : {}) },
      // Recorded are only the fields that a rollout depends on.
      ...(spec ? { spec: { ...this.set.spec, ...spec } } : {}),
      ...(status ? { status } : {}),
    };
    if (spec !== undefined) this.keepRevision();
  }

  private keepRevision(): void {
    const decision = decideRevisions({ set: this.set, existing: this.revisions, inUse: new Set(), namespace: '' });
    if (decision.create !== undefined) this.revisions = [...this.revisions, decision.create];
  }

  /** A trace without the SidecarSet's events: its images are those that its pods are given. */
  private inferSet(pod: Pod): void {
    const images = new Map(pod.spec.containers.map(({ name, image }) => [name, image]));
    const containers = (this.set.spec.containers ?? []).map((container) => {
      const image = images.get(container.name) ?? container.image;
      return image === undefined ? container : { ...container, image };
    });
    const set = withHashes(defaultSidecarSet({ ...this.set, spec: { ...this.set.spec, containers } }));
    const { latest } = decideRevisions({ set, existing: [], inUse: new Set(), namespace: '' });
    const counts = { matchedPods: 0, updatedPods: 0, readyPods: 0 };
    this.set = { ...set, status: { ...counts, latestRevision: latest.metadata.name ?? '' } };
  }
}

function podAfter(base: Pod, { resourceVersion = '', changed = {} }: TraceEntry): Pod {
  const { annotations, containers, statuses, conditions, phase } = changed as Changed;
  return {
    ...base,
    metadata: { ...base.metadata, resourceVersion, ...(annotations ? { annotations } : {}) },
    spec: { ...base.spec, ...(containers ? { containers } : {}) },
    status: {
      ...base.status,
      ...(phase === undefined ? {} : { phase }),
      ...(conditions ? { conditions } : {}),
      ...(statuses
        ? { containerStatuses: statuses.map(({ state, ...status }) => ({ ...status, state: { [state]: {} } })) }
        : {}),
    },
  };
}

/** Whether the event is a write of OpenKruise's controller: to the pod itself, or to its condition. */
export function controllerWrite({ changed, writers }: TraceEntry): 'pod' | 'status' | undefined {
  if (!writers?.some((writer) => writer.includes('kruise'))) return undefined;
  if (changed?.annotations !== undefined || changed?.containers !== undefined) return 'pod';
  return changed?.conditions === undefined ? undefined : 'status';
}

/** The hash that a pod bears for a SidecarSet. */
export function hashOf(pod: Pod, set: string, key: typeof KRUISE.hash | typeof KRUISE.hashWithoutImage): unknown {
  const records = JSON.parse(pod.metadata.annotations?.[key] ?? '{}') as Record<string, { hash?: string }>;
  return records[set]?.hash;
}
