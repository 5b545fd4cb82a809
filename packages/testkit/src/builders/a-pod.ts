import type { KubeObject } from '@sidestep/kube';
import { ObjectBuilder } from './object-builder.js';

type Open = Record<string, unknown>;

export interface BuiltContainer {
  name: string;
  image: string;
  [field: string]: unknown;
}

export interface BuiltPod extends KubeObject {
  spec: { containers: BuiltContainer[]; [field: string]: unknown };
  status?: Open & { containerStatuses?: Open[]; conditions?: Open[]; phase?: string };
}

const SINCE = '2026-01-01T00:00:00Z';

/** A pod in the namespace `default` with one container `app`, bound to no node. */
export const aPod = (name = 'pod'): PodBuilder =>
  new PodBuilder({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { containers: [{ name: 'app', image: 'app:1' }] },
  });

export class PodBuilder extends ObjectBuilder<BuiltPod> {
  constructor(pod: BuiltPod) {
    super(pod);
  }

  /** Instead of the container `app`. */
  withContainers(...containers: BuiltContainer[]): this {
    return this.withSpec({ containers });
  }

  withContainer(container: BuiltContainer): this {
    return this.withContainers(...this.object.spec.containers, container);
  }

  onNode(nodeName: string): this {
    return this.withSpec({ nodeName });
  }

  withSpec(spec: Open): this {
    return this.with({ spec: { ...this.object.spec, ...spec } });
  }

  /** Controlled by a workload of this kind. */
  ownedBy(kind: string, name: string, apiVersion = 'apps/v1'): this {
    const owner = { apiVersion, kind, name, uid: `uid-of-${name}`, controller: true, blockOwnerDeletion: true };
    return this.withMeta({ ownerReferences: [owner] });
  }

  /** As a kubelet reports it when every container runs its image; those named are not ready. */
  running(...notReady: string[]): this {
    const containerStatuses = this.object.spec.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: `sha256:${image}`,
      containerID: `testkit://${name}-${image}`,
      ready: !notReady.includes(name),
      started: true,
      restartCount: 0,
      state: { running: { startedAt: SINCE } },
    }));
    const ready = notReady.length === 0 ? 'True' : 'False';
    const conditions = ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
      type,
      status: type === 'Ready' || type === 'ContainersReady' ? ready : 'True',
      lastTransitionTime: SINCE,
    }));
    return this.with({ status: { phase: 'Running', conditions, containerStatuses, startTime: SINCE } });
  }

  protected next(pod: BuiltPod): this {
    return new PodBuilder(pod) as this;
  }
}
