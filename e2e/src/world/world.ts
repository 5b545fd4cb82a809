import type { Pod, SidecarSet } from '@sidestep/core';
import { isNotFound, type KubeObject, Reflector } from '@sidestep/kube';
import { ordered } from '../platform/ordered.js';
import { Platform, type PlatformOptions } from '../platform/platform.js';
import { until } from '../platform/service.js';
import { Load } from './load.js';
import { PODS, SIDECARSETS } from './resources.js';

type Stored<T> = T & KubeObject;

const unlessGone = (error: unknown): void => {
  if (!isNotFound(error)) throw error;
};

/** Judges what it sees of pods, and is told when it could not see everything. */
export interface PodWatcher {
  observe(pod: Pod): void;
  forget(name: string): void;
  /** The watch broke for good: until `lookBack` it is shown the newest version of each pod that changed, in no order. */
  lookAway(): void;
  lookBack(): void;
}

/** A running platform with eyes on its pods and SidecarSets; what the demo and the journeys act through. */
export class World {
  readonly platform: Platform;
  private readonly pods: Reflector<Stored<Pod>>;
  private readonly sets: Reflector<Stored<SidecarSet>>;
  private readonly loads: Load[] = [];
  private readonly watchers = new Set<PodWatcher>();

  private constructor(platform: Platform) {
    this.platform = platform;
    const keep = <T>(object: KubeObject): T => object as T;
    this.pods = new Reflector({
      api: platform.api,
      kind: PODS,
      transform: keep<Stored<Pod>>,
      onEvent: ({ type }) => {
        if (type === 'relist') for (const watcher of this.watchers) watcher.lookAway();
        if (type === 'listed') for (const watcher of this.watchers) watcher.lookBack();
      },
    });
    this.sets = new Reflector({ api: platform.api, kind: SIDECARSETS, transform: keep<Stored<SidecarSet>> });
  }

  static async start(options: PlatformOptions, onStep?: (what: string) => void): Promise<World> {
    const platform = new Platform(options);
    try {
      await platform.start(onStep);
    } catch (error) {
      await platform.stop();
      throw error;
    }
    const world = new World(platform);
    world.pods.start();
    world.sets.start();
    await Promise.all([world.pods.synced(), world.sets.synced()]);
    return world;
  }

  async stop(): Promise<void> {
    for (const load of this.loads) await load.stop();
    await Promise.all([this.pods.stop(), this.sets.stop()]);
    await this.platform.stop();
  }

  async createNamespace(name: string): Promise<void> {
    await ordered(() => this.platform.apiServer.createNamespace(name));
  }

  async createSet(set: SidecarSet): Promise<void> {
    await ordered(() => this.platform.api.create(SIDECARSETS, set as KubeObject));
    await until(() => this.sets.store.get(set.metadata.name!), `SidecarSet ${set.metadata.name} in the cache`);
    await until(() => this.isKnownToTheWebhook(), `the webhook to hear of SidecarSet ${set.metadata.name}`);
  }

  /** It hears of them by a watch of its own: a pod created sooner would get no sidecar. One that is away learns of all when it starts. */
  private async isKnownToTheWebhook(): Promise<boolean> {
    const url = String(this.platform.service('webhook').spec.readyUrl).replace('/readyz', '/metrics');
    const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
    if (answer === undefined) return true;
    const [, count] = /^sidestep_reflector_objects\{resource="sidecarsets"\} (\d+)/m.exec(await answer.text()) ?? [];
    return Number(count) >= this.sets.store.size;
  }

  /** Creates the pods and waits until every one of them is Ready. */
  async createPods(pods: readonly Pod[], deadlineMs = 60_000): Promise<void> {
    await Promise.all(pods.map((pod) => ordered(() => this.platform.api.create(PODS, pod as KubeObject))));
    for (const { metadata } of pods) {
      await until(
        () => this.isReady(metadata.namespace!, metadata.name!),
        `pod ${metadata.name} to be Ready`,
        deadlineMs,
      );
    }
  }

  /** With the pods' own grace period unless told otherwise. */
  async deletePods(namespace: string, gracePeriodSeconds?: number): Promise<void> {
    const pods = this.podsOf(namespace);
    const options = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
    const remove = ({ metadata }: Pod) =>
      this.platform.api.delete(PODS, { namespace, name: metadata.name! }, options).catch(unlessGone);
    await Promise.all(pods.map(remove));
    await until(
      () => (this.podsOf(namespace).length === 0 ? true : undefined),
      `the pods of ${namespace} to go`,
      60_000,
    );
  }

  /** Shows it every version of the namespace's pods from now on, in order; returns a function that ends it. */
  watchPods(namespace: string, watcher: PodWatcher): () => void {
    const end = this.pods.store.subscribe(({ type, object }) => {
      if (object.metadata.namespace !== namespace) return;
      if (type === 'deleted') watcher.forget(object.metadata.name!);
      else watcher.observe(object);
    });
    this.watchers.add(watcher);
    return () => {
      end();
      this.watchers.delete(watcher);
    };
  }

  /** Calls for every version of every pod from now on, in order; returns a function that ends it. */
  onPod(listener: (pod: Pod) => void): () => void {
    return this.pods.store.subscribe(({ type, object }) => {
      if (type !== 'deleted') listener(object);
    });
  }

  /**
   * Resolves with what the probe first gives for a pod of the namespace, as it is now or in any of its versions from now on: a state
   * that lasts for a moment is seen however late this process gets its turn.
   *
   * @param meanwhile is done again and again until then
   */
  async seePod<T>(
    namespace: string,
    probe: (pod: Pod) => T | undefined,
    what: string,
    { meanwhile = async () => {}, deadlineMs }: { meanwhile?: () => Promise<unknown>; deadlineMs?: number } = {},
  ): Promise<T> {
    let seen: T | undefined;
    const look = (pod: Pod): void => {
      seen ??= probe(pod);
    };
    const end = this.onPod((pod) => {
      if (pod.metadata.namespace === namespace) look(pod);
    });
    try {
      return await until(
        async () => {
          this.podsOf(namespace).forEach(look);
          if (seen === undefined) await meanwhile();
          return seen;
        },
        what,
        deadlineMs,
      );
    } finally {
      end();
    }
  }

  podsOf(namespace: string): Pod[] {
    return [...this.pods.store.values()]
      .filter((pod) => pod.metadata.namespace === namespace)
      .sort((a, b) => a.metadata.name!.localeCompare(b.metadata.name!, 'en', { numeric: true }));
  }

  findSet(name: string): SidecarSet | undefined {
    return this.sets.store.get(name);
  }

  set(name: string): SidecarSet {
    const set = this.findSet(name);
    if (!set) throw new Error(`no SidecarSet ${name}`);
    return set;
  }

  /** Changes a SidecarSet as `kubectl patch --type=json` would. */
  async patchSet(name: string, patch: readonly object[]): Promise<void> {
    await ordered(() => this.platform.api.patch(SIDECARSETS, { name }, patch, { type: 'json' }));
  }

  async setImage(name: string, image: string, container = 0): Promise<void> {
    await this.patchSet(name, [{ op: 'replace', path: `/spec/containers/${container}/image`, value: image }]);
  }

  /** Steady traffic to every pod of the namespace, from its own process. */
  async startLoad(namespace: string, rate: number, { port = 8080, rampMs = 0, mostInFlight = 0 } = {}): Promise<Load> {
    const { root } = this.platform.options;
    const targets = this.podsOf(namespace).map((pod) => `${String(pod.status?.podIP)}:${port}`);
    const load = await Load.start({ rate, targets, root, rampMs, mostInFlight });
    this.loads.push(load);
    return load;
  }

  private isReady(namespace: string, name: string): true | undefined {
    const pod = this.pods.store.get(`${namespace}/${name}`);
    const ready = pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    return ready ? true : undefined;
  }
}
