import type { StoreReader } from '@sidestep/kube';
import type { KubeletPod } from '@sidestep/testkit';

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

const seenOf = ({ spec, status }: KubeletPod): Seen => ({
  images: (spec?.containers ?? []).map(({ image }) => image ?? ''),
  ready: (status?.containerStatuses ?? []).flatMap(({ image, ready }) => (ready ? [image] : [])),
});

/**
 * Watches the pods of one namespace go through a rollout, over the shoulder of the kubelets: a watch of its own would be one
 * that no cluster has, and cost the API server and this process another copy of every event.
 */
export class PodTimes {
  private readonly moments = new Map<string, Moments>();
  private readonly end: () => void;
  private steps = 0;
  private wanted: { image: string; idle: string | undefined } | undefined;

  constructor(pods: StoreReader<KubeletPod>, namespace: string) {
    this.end = pods.subscribe((change) => {
      if (change.type !== 'deleted' && change.key.startsWith(`${namespace}/`)) {
        this.look(change.key, seenOf(change.object));
      }
    });
  }

  stop(): void {
    this.end();
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

  /** Steps of all pods so far. */
  get moves(): number {
    return this.steps;
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
    const before = Object.keys(moments).length;
    moments.begun ??= now;
    if (ready.includes(image)) moments.ready ??= now;
    // While a pod moves, neither half of its pair runs the idle image.
    if (idle !== undefined && images.includes(idle)) moments.reset ??= now;
    this.steps += Object.keys(moments).length - before;
  }
}

const sorted = (numbers: number[]): number[] => numbers.sort((a, b) => a - b);
