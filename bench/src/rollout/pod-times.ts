import type { Pod } from '@sidestep/core';
import { type KubeApi, type KubeObject, Reflector, type ResourceKind } from '@sidestep/kube';

const PODS: ResourceKind = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

/** When a pod was first seen so, in milliseconds of `performance.now()`. */
interface Moments {
  begun?: number;
  /** The new container is reported ready. */
  ready?: number;
  reset?: number;
}

interface Seen {
  images: string[];
  ready: string[];
}

const seenOf = (object: KubeObject): Seen => {
  const { spec, status } = object as unknown as Pod;
  return {
    images: spec.containers.map(({ image }) => image ?? ''),
    ready: (status?.containerStatuses ?? []).flatMap(({ image, ready }) => (ready && image ? [image] : [])),
  };
};

/** Watches the pods of one namespace go through a rollout, as any client could. */
export class PodTimes {
  private readonly moments = new Map<string, Moments>();
  private readonly reflector: Reflector<Seen>;
  private wanted: { image: string; idle: string | undefined } | undefined;

  constructor(api: KubeApi, namespace: string) {
    this.reflector = new Reflector<Seen>({ api, kind: PODS, namespace, transform: seenOf });
    this.reflector.store.subscribe((change) => {
      if (change.type !== 'deleted') this.look(change.key, change.object);
    });
  }

  async start(): Promise<void> {
    this.reflector.start();
    await this.reflector.synced();
  }

  async stop(): Promise<void> {
    await this.reflector.stop();
  }

  /** Forgets what was, and times the way to this image; hot pods are done once the other half of their pair is `idle`. */
  expect(image: string, idle: string | undefined): void {
    this.moments.clear();
    this.wanted = { image, idle };
  }

  /** How many pods run the image, or have also emptied their old container. */
  get done(): number {
    const last = this.wanted?.idle === undefined ? 'ready' : 'reset';
    return [...this.moments.values()].filter((moments) => moments[last] !== undefined).length;
  }

  /** Sorted, of the pods that came so far. */
  moment(name: keyof Moments): number[] {
    return sorted([...this.moments.values()].flatMap((moments) => moments[name] ?? []));
  }

  /** From a pod's readiness to the write that empties its old container. */
  readyToReset(): number[] {
    return sorted(
      [...this.moments.values()].flatMap(({ ready, reset }) =>
        ready === undefined || reset === undefined ? [] : [reset - ready],
      ),
    );
  }

  private look(key: string, { images, ready }: Seen): void {
    if (this.wanted === undefined || !images.includes(this.wanted.image)) return;
    const { image, idle } = this.wanted;
    const now = performance.now();
    const moments = this.moments.get(key) ?? {};
    this.moments.set(key, moments);
    moments.begun ??= now;
    if (ready.includes(image)) moments.ready ??= now;
    // While a pod moves, neither half of its pair runs the idle image.
    if (idle !== undefined && images.includes(idle)) moments.reset ??= now;
  }
}

const sorted = (numbers: number[]): number[] => numbers.sort((a, b) => a - b);
