import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SidecarSet } from '@sidestep/core';
import { Platform, until } from '@sidestep/e2e';
import type { StoreReader } from '@sidestep/kube';
import { HttpKubeApi, type KubeObject, loadKubeConfig, RateLimiter, type ResourceKind } from '@sidestep/kube';
import {
  aPod,
  aSidecarSet,
  type InstantKubelet,
  type KubeletPod,
  removeScratch,
  startInstantKubelet,
} from '@sidestep/testkit';
import { ApiServerView } from './api-server-view.js';
import { type Calls, readCalls, sumCalls } from './calls.js';
import { type KruiseManager, startKruiseManager } from './kruise-manager.js';
import type { Run } from './plan.js';

const PODS: ResourceKind = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
const SIDECARSETS: ResourceKind = {
  group: 'apps.kruise.io',
  version: 'v1beta1',
  plural: 'sidecarsets',
  kind: 'SidecarSet',
  namespaced: false,
};
/** With a digest, as the empty image should be referred to. */
export const IDLE_IMAGE = `mesh-idle:1@sha256:${'1d'.repeat(32)}`;
const CREATORS = 16;
const NODES = 10;
const DEADLINE_MS = 300_000;

type StoredSet = KubeObject & SidecarSet;

/** The built platform, or OpenKruise in its place, with kubelets that answer at once; its programs are processes of their own. */
export class RolloutStage {
  private kubelet: InstantKubelet | undefined;
  private kruise: KruiseManager | undefined;
  private readonly connections: HttpKubeApi[] = [];
  private sets = 0;

  private constructor(
    readonly platform: Platform,
    private readonly workers: number,
  ) {}

  static async start(root: string, run: Run): Promise<RolloutStage> {
    const { workers, qps, api, by } = run;
    const bookkeeping = { SIDESTEP_POD_MANAGED_FIELDS: by === 'sidestep-keep' ? 'keep' : 'release' };
    const limits = { SIDESTEP_KUBE_QPS: String(qps), SIDESTEP_KUBE_BURST: String((qps ?? 0) * 2) };
    const platform = new Platform({
      root,
      stateDir: mkdtempSync(path.join(tmpdir(), 'sidestep-bench-')),
      workers,
      queue: 'redis',
      needsRedis: true,
      ownRedis: true,
      apiServer: api,
      // A planner that starves beside what is measured must not end: nobody takes over.
      env: {
        SIDESTEP_LOG_LEVEL: 'warn',
        SIDESTEP_LEASE_SECONDS: '120',
        ...bookkeeping,
        ...(qps === undefined ? {} : limits),
      },
    });
    const stage = new RolloutStage(platform, workers);
    try {
      await platform.start();
      if (run.kruise !== undefined && run.by === 'openkruise') await stage.giveWayTo(run.kruise, run);
      stage.kubelet = startInstantKubelet({ api: stage.connect('kubelet'), delayMs: run.kubeletMs });
      await stage.kubelet.synced();
    } catch (error) {
      // The logs stay: the error names them.
      await platform.stop();
      throw error;
    }
    return stage;
  }

  async stop(): Promise<void> {
    await this.kubelet?.stop();
    await this.kruise?.stop();
    for (const connection of this.connections) connection.close();
    await this.platform.stop();
    await removeScratch(this.platform.options.stateDir);
  }

  /** What the kubelets see of the pods. */
  get pods(): StoreReader<KubeletPod> {
    if (this.kubelet === undefined) throw new Error('the kubelets were not started');
    return this.kubelet.pods;
  }

  /** What the API server tells of itself; kube-sim tells nothing. */
  get view(): ApiServerView | undefined {
    return this.platform.options.apiServer === 'real' ? new ApiServerView(this.platform.kubeconfig) : undefined;
  }

  /**
   * A connection under the name of one program: the API server keeps the fields that each name wrote last, so that every further
   * name makes every write of a pod dearer.
   */
  connect(userAgent: string): HttpKubeApi {
    const connection = loadKubeConfig({ kubeconfig: this.platform.kubeconfig });
    const api = new HttpKubeApi({ connection, userAgent, limiter: new RateLimiter({ qps: 5_000, burst: 10_000 }) });
    this.connections.push(api);
    return api;
  }

  /** Resolves once the API server's profile of the next seconds is written, where one is asked for. */
  async profile({ profiles, by, pods }: Run, round: number): Promise<void> {
    if (profiles === undefined || this.view === undefined) return;
    mkdirSync(profiles, { recursive: true });
    const file = path.join(profiles, `${by}-${pods}-${round}.pprof`);
    // Nobody waits for it before the rollout is over, and a rollout without a profile is measured all the same.
    await this.view.profile(file).catch((error: unknown) => process.emitWarning(`no ${file}: ${String(error)}`));
  }

  /** Process ids by what they are; the harness is kubelets and eyes. OpenKruise's manager is all that it needs. */
  get pids(): Record<'planner' | 'workers' | 'apiServer' | 'redis' | 'harness' | 'manager', number[]> {
    const pid = (name: string): number[] => (this.kruise ? [] : [this.platform.service(name).pid ?? []].flat());
    const { apiServer, etcd } = this.platform.apiServer.pids;
    return {
      planner: pid('planner'),
      workers: this.workerNames.flatMap(pid),
      apiServer: [apiServer ?? [], etcd ?? []].flat(),
      redis: this.kruise ? [] : [this.platform.redis?.pid() ?? []].flat(),
      manager: [this.kruise?.pid ?? []].flat(),
      harness: [process.pid],
    };
  }

  /** Of the planner and all workers so far; OpenKruise's are not told apart from others. */
  async calls(): Promise<Calls> {
    if (this.kruise) return new Map();
    return sumCalls(await Promise.all(['planner', ...this.workerNames].map((name) => this.callsOf(name))));
  }

  /** Of a SidecarSet and the namespace of its pods. */
  newName(): string {
    this.sets += 1;
    return `rollout-${this.sets}`;
  }

  /** Runs something without a planner: nothing of Sidestep moves, and nothing of it watches pods. */
  async withoutPlanner<T>(act: () => Promise<T>): Promise<T> {
    const planner = this.platform.service('planner');
    await planner.stop();
    try {
      return await act();
    } finally {
      await (await planner.start()).ready();
    }
  }

  /** A SidecarSet for the pods of this namespace; both have one name. */
  async createSet(name: string, mode: Run['mode']): Promise<void> {
    const bare = aSidecarSet(name).selecting({ app: name }).withUpdateStrategy({ maxUnavailable: '100%' });
    const more = { env: [{ name: 'LEVEL', value: 'info' }], ports: [{ containerPort: 15_001 }] };
    const set =
      mode === 'hot'
        ? bare.withHotSidecar('mesh', 'mesh:v1', IDLE_IMAGE, more)
        : bare.withSidecar('mesh', 'mesh:v1', more);
    await this.platform.api.create(SIDECARSETS, set.build());
  }

  /** Creates the pods, all of them injected by the webhook, and waits until the status counts them as ready. */
  async createPods(name: string, count: number): Promise<void> {
    await this.platform.apiServer.createNamespace(name);
    const env = Array.from({ length: 8 }, (_, index) => ({ name: `E${index}`, value: `v${index}` }));
    const template = aPod()
      .inNamespace(name)
      .labelled({ app: name })
      .withContainers({ name: 'app', image: 'app:1', env });
    const create = async (index: number): Promise<boolean> => {
      const pod = template
        .onNode(`instant-${index % NODES}`)
        .withMeta({ ...template.build().metadata, name: `web-${index}` });
      const made = await this.platform.api.create(PODS, pod.build());
      return made.spec.containers.length > 1;
    };
    await until(() => this.isHeardOf(name, create), 'the webhook to hear of the SidecarSet');
    await inParallel(count - 1, (index) => create(index + 1));
    const isReady = ({ status }: StoredSet): boolean =>
      status?.updatedReadyPods === count && status.readyPods === count;
    await until(async () => isReady(await this.set(name)) || undefined, `${count} ready pods`, DEADLINE_MS);
  }

  set(name: string): Promise<StoredSet> {
    return this.platform.api.get<StoredSet>(SIDECARSETS, { name });
  }

  async setImage(name: string, image: string): Promise<void> {
    const patch = [{ op: 'replace', path: '/spec/containers/0/image', value: image }];
    await this.platform.api.patch(SIDECARSETS, { name }, patch, { type: 'json' });
  }

  /** The status shows that all pods are upgraded. */
  async isDone(name: string, pods: number): Promise<boolean> {
    const { metadata, status } = await this.set(name);
    return (
      status?.observedGeneration === metadata.generation &&
      status?.updatedPods === pods &&
      status?.updatedReadyPods === pods
    );
  }

  async clear(name: string, count: number): Promise<void> {
    await this.platform.api.delete(SIDECARSETS, { name });
    await inParallel(count, (index) =>
      this.platform.api.delete(PODS, { namespace: name, name: `web-${index}` }, { gracePeriodSeconds: 0 }),
    );
  }

  private async giveWayTo(folder: string, run: Run): Promise<void> {
    for (const service of ['planner', ...this.workerNames, 'webhook']) await this.platform.service(service).stop();
    this.kruise = await startKruiseManager(this.platform, folder, run);
  }

  private async isHeardOf(namespace: string, create: (index: number) => Promise<boolean>): Promise<true | undefined> {
    if (await create(0)) return true;
    const ref = { namespace, name: 'web-0' };
    await this.platform.api.delete(PODS, ref, { gracePeriodSeconds: 0 });
    const isGone = (): Promise<true | undefined> =>
      this.platform.api.get(PODS, ref).then(
        () => undefined,
        () => true,
      );
    await until(isGone, 'the first pod to go');
    return undefined;
  }

  private get workerNames(): string[] {
    return Array.from({ length: this.workers }, (_, index) => `worker-${index + 1}`);
  }

  private callsOf(service: string): Promise<Calls> {
    return readCalls(String(this.platform.service(service).spec.readyUrl).replace('/readyz', '/metrics'));
  }
}

const inParallel = async (count: number, act: (index: number) => Promise<unknown>): Promise<void> => {
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: CREATORS }, run));
};
