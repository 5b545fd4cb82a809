import type { Pod, SidecarSet } from '@sidestep/core';
import type { KubeObject } from '@sidestep/kube';
import type { PodRow } from '../demo/view.js';
import { ask } from '../platform/ask.js';
import { replaceEnded } from '../platform/replace-ended.js';
import { until } from '../platform/service.js';
import type { Load } from '../world/load.js';
import { podRow } from '../world/pod-row.js';
import { PODS, SIDECARSETS } from '../world/resources.js';
import { image, type MeshSet, podOf, sidecarSetOf } from '../world/scenario.js';
import type { World } from '../world/world.js';
import { PodHistory } from './pod-history.js';
import type { Given } from './row.js';

export const NODE = 'matrix-node';
const REQUESTS_PER_SECOND = 60;
/** Of each pod: what a machine that is far too busy cannot serve is not asked for, and what was lost was lost by a fault. */
export const MOST_IN_FLIGHT = 16;
const BUDGET = 1;
const PATIENT_SECONDS = 90;
/** Against a wait without end, not against a slow machine. */
const SEE_DEADLINE_MS = 240_000;

/** One row's own namespace, SidecarSet, pods and traffic on the shared platform. */
export class Stage {
  readonly histories: PodHistory[] = [];
  edge: MeshSet | undefined;
  /** The pod that the row acts on: the first that was seen in the phase that it waited for. */
  subject = 'pod-1';
  /** Faults that hold something back, by what they hold. */
  readonly held = new Map<string, string>();
  load: Load | undefined;
  isControlPlaneAway = false;
  private readonly lastSets = new Map<string, SidecarSet>();
  private readonly undo: (() => Promise<void>)[] = [];

  private constructor(
    readonly world: World,
    readonly namespace: string,
    readonly mesh: MeshSet,
    private readonly given: Given,
    private readonly isGivenUp: () => boolean,
  ) {}

  /** @param isGivenUp whether what is still waited for would say nothing any more */
  static async open(world: World, index: number, given: Given, isGivenUp: () => boolean): Promise<Stage> {
    const name = `row-${index}`;
    const base = { name, app: name, container: 'mesh', version: 'v1', maxUnavailable: BUDGET };
    const deadlineSeconds = given.deadlineSeconds ?? PATIENT_SECONDS;
    const hook = given.hookSeconds === undefined ? {} : { hookSeconds: given.hookSeconds };
    const mesh: MeshSet = { ...base, ...hook, deadlineSeconds, listenPort: 8080, upstreamPort: 9090 };
    const stage = new Stage(world, name, mesh, given, isGivenUp);
    if (given.edge)
      stage.edge = { ...mesh, name: `${name}-edge`, container: 'edge', listenPort: 8081, upstreamPort: 8080 };
    try {
      await stage.prepare();
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  get meshes(): MeshSet[] {
    return this.edge ? [this.mesh, this.edge] : [this.mesh];
  }

  /** Where the traffic enters a pod. */
  get port(): number {
    return (this.edge ?? this.mesh).listenPort;
  }

  pods(): Pod[] {
    return this.world.podsOf(this.namespace);
  }

  pod(name = this.subject): Pod {
    const pod = this.pods().find(({ metadata }) => metadata.name === name);
    if (!pod) throw new Error(`no pod ${this.namespace}/${name}`);
    return pod;
  }

  /** Also after it was deleted. */
  setOf(mesh: MeshSet): SidecarSet {
    const set = this.world.findSet(mesh.name) ?? this.lastSets.get(mesh.name);
    if (!set) throw new Error(`no SidecarSet ${mesh.name}`);
    this.lastSets.set(mesh.name, set);
    return set;
  }

  rows(mesh = this.mesh): PodRow[] {
    const set = this.setOf(mesh);
    const now = new Date();
    return this.pods().map((pod) => podRow(set, pod, now));
  }

  /** Creates the SidecarSet with this version of the sidecar. */
  async createSet(mesh: MeshSet, version: string): Promise<void> {
    const set = sidecarSetOf({ ...mesh, version });
    if (this.given.prePull) set.spec.updateStrategy!.prePull = true;
    await this.world.createSet(set);
    this.setOf(mesh);
  }

  /** Resolves once it answers; Ready alone says that its processes were started. */
  async createPod(name: string): Promise<void> {
    await this.world.createPods([podOf(name, this.namespace, this.mesh.app, NODE)], 120_000);
    const ip = String(this.pod(name).status?.podIP);
    const answers = async () => ((await ask({ host: ip, port: this.port }, 30_000)).status === 200 ? true : undefined);
    await this.until(answers, `pod ${name} to answer`);
  }

  async setImage(version: string, mesh = this.mesh): Promise<void> {
    await this.world.setImage(mesh.name, image(version));
  }

  until<T>(probe: () => Promise<T | undefined> | T | undefined, what: string, deadlineMs?: number): Promise<T> {
    const look = async (): Promise<T | undefined> => {
      const value = await probe();
      if (value === undefined) this.endIfGivenUp(what);
      return value;
    };
    return until(look, what, deadlineMs).catch((error: Error) => this.failWithRows(error));
  }

  /** Resolves with what the probe first gives for any version of a pod. */
  seePod<T>(probe: (row: PodRow) => T | undefined, what: string): Promise<T> {
    const { world, namespace, mesh } = this;
    const look = (pod: Pod): T | undefined => probe(podRow(this.setOf(mesh), pod, new Date()));
    const meanwhile = async (): Promise<void> => {
      this.endIfGivenUp(what);
      await this.replaceEnded();
    };
    return world
      .seePod(namespace, look, what, { meanwhile, deadlineMs: SEE_DEADLINE_MS })
      .catch((error: Error) => this.failWithRows(error));
  }

  /** What ended of the control plane is started again, unless the row has it stay away. */
  async replaceEnded(): Promise<void> {
    if (!this.isControlPlaneAway) await replaceEnded(this.world.platform);
  }

  /** Has the row's own disturbance ended when the row ends, however it does. */
  atEnd(undo: () => Promise<void>): void {
    this.undo.unshift(undo);
  }

  async restore(): Promise<void> {
    for (const undo of this.undo.splice(0)) await undo();
  }

  async close(): Promise<void> {
    await this.restore();
    await this.load?.stop();
    for (const { name } of this.meshes)
      if (this.world.findSet(name)) await this.world.platform.api.delete(SIDECARSETS, { name });
    await this.world.deletePods(this.namespace, 1);
  }

  private endIfGivenUp(what: string): void {
    if (this.isGivenUp()) throw new Error(`waits no longer for ${what}: the machine stood still`);
  }

  private failWithRows(error: Error): never {
    throw new Error(`${error.message}; now ${JSON.stringify(this.rows())}`);
  }

  private async prepare(): Promise<void> {
    const { world, namespace } = this;
    await world.createNamespace(namespace);
    for (const mesh of this.meshes) await this.createSet(mesh, mesh.version);
    await this.webhookKnowsThem();
    const names = Array.from({ length: this.given.pods ?? 1 }, (_, index) => `pod-${index + 1}`);
    await Promise.all(names.map((name) => this.createPod(name)));
    for (const { container } of this.meshes) {
      const history = new PodHistory(container, BUDGET);
      this.histories.push(history);
      const end = world.watchPods(namespace, history);
      this.atEnd(async () => end());
    }
    this.load = await world.startLoad(namespace, REQUESTS_PER_SECOND, {
      port: this.port,
      mostInFlight: MOST_IN_FLIGHT,
    });
  }

  /** It hears of a SidecarSet a moment after it was created. */
  private webhookKnowsThem(): Promise<true> {
    const pod = podOf('dry-run', this.namespace, this.mesh.app, NODE);
    return this.until(async () => {
      const made = await this.world.platform.api.create<KubeObject & Pod>(PODS, pod as KubeObject & Pod, {
        dryRun: true,
      });
      const names = made.spec.containers.map(({ name }) => name);
      return this.meshes.every(({ container }) => names.includes(`${container}-1`)) ? true : undefined;
    }, 'the webhook to know the SidecarSets');
  }
}
