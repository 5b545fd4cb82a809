import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { HttpKubeApi, type KubeObject, loadKubeConfig, RateLimiter, Reflector } from '@sidestep/kube';
import { startKubeSim } from '../kube-sim/start.js';
import type { KubeSim } from '../kube-sim/types.js';
import { removeScratch } from '../scratch/remove-scratch.js';
import { startProcessKubelet } from './kubelet.js';
import type { KubeletLogLine, ProcessKubelet, ProcessKubeletOptions } from './options.js';
import type { ContainerSpec, ContainerStatus, PodObject } from './pod-spec.js';
import { PODS } from './status-writer.js';

const NAMESPACES = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };
const NAMESPACE = 'lab';
/** Against a wait without end, not a slow machine. */
const DEADLINE_MS = 100_000;

const shell = (script: string, env: Record<string, string> = {}) => ({ command: ['sh', '-c', script], env });
/** Notes its start and its variables in the pod's volume, then waits for its end. */
const noting = (version: string) =>
  shell('echo "$VERSION $MARK" >> /notes/starts; exec sleep 600', { VERSION: version });

export const EMPTY_DIGEST = `sha256:${'5e'.repeat(32)}`;

const IMAGES = {
  [`empty:1@${EMPTY_DIGEST}`]: noting('empty'),
  'good:1': noting('1'),
  'good:1-alias': noting('1'),
  'good:2': noting('2'),
  'good:3': noting('3'),
  'crash:1': shell('echo "going down"; exit 3'),
  'deaf:1': shell("trap '' TERM; while :; do sleep 0.05; done"),
  'forks:1': shell('setsid sleep 600 & exec sleep 600'),
};

/** A container with the pod's volume at /notes. */
export const container = (name: string, image: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name,
  image,
  volumeMounts: [{ name: 'notes', mountPath: '/notes' }],
  ...more,
});

export const statusOf = (pod: PodObject, name: string): ContainerStatus | undefined =>
  [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    (status) => status.name === name,
  );

export const isReady = (pod: PodObject): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;

/** An API server, and for each test a node with one pod: no test meets the back-off of another. */
export class KubeletLab {
  readonly stateDir = mkdtempSync(path.join(os.tmpdir(), 'kubelet-test-'));
  readonly api: HttpKubeApi;
  readonly #sim: KubeSim;
  readonly #pods: Reflector<PodObject>;
  /** Every version of this test's pod, in order: what it is for a moment is not missed by looking too late. */
  #versions: PodObject[] = [];
  #kubelet: ProcessKubelet | undefined;
  #oldest = 0;
  #serial = 0;
  log: KubeletLogLine[] = [];

  private constructor(sim: KubeSim) {
    this.#sim = sim;
    const kubeconfig = path.join(this.stateDir, 'kubeconfig');
    writeFileSync(kubeconfig, sim.kubeconfig);
    const limiter = new RateLimiter({ qps: 1_000, burst: 1_000 });
    this.api = new HttpKubeApi({ connection: loadKubeConfig({ kubeconfig }), limiter });
    const transform = (pod: KubeObject) => pod as PodObject;
    this.#pods = new Reflector({ api: this.api, kind: PODS, namespace: NAMESPACE, transform });
    this.#pods.store.subscribe(({ object }) => {
      if (object.metadata.name === this.pod.name) this.#versions.push(object);
    });
  }

  static async open(): Promise<KubeletLab> {
    const lab = new KubeletLab(await startKubeSim({}));
    await lab.api.create(NAMESPACES, { metadata: { name: NAMESPACE } });
    lab.#pods.start();
    await lab.#pods.synced();
    return lab;
  }

  async close(): Promise<void> {
    await this.#pods.stop();
    this.api.close();
    await this.#sim.stop();
    await removeScratch(this.stateDir);
  }

  async start(options: Partial<ProcessKubeletOptions> = {}): Promise<ProcessKubelet> {
    this.log = [];
    this.#versions = [];
    this.#serial += 1;
    this.#kubelet = await startProcessKubelet({
      api: this.api,
      node: `node-${this.#serial}`,
      images: IMAGES,
      stateDir: path.join(this.stateDir, String(this.#serial)),
      statusLag: 'none',
      backOff: 'none',
      onLog: (line) => this.log.push(line),
      ...options,
    });
    return this.#kubelet;
  }

  async stop(): Promise<void> {
    await this.#kubelet?.stop(0);
  }

  get pod(): { namespace: string; name: string } {
    return { namespace: NAMESPACE, name: `pod-${this.#serial}` };
  }

  async createPod(containers: ContainerSpec[], more: { annotations?: object; initContainers?: object[] } = {}) {
    const { annotations = {}, initContainers } = more;
    const pod = await this.api.create(PODS, {
      metadata: { ...this.pod, annotations: annotations as Record<string, string> },
      spec: {
        nodeName: `node-${this.#serial}`,
        terminationGracePeriodSeconds: 1,
        volumes: [{ name: 'notes', emptyDir: {} }],
        containers,
        ...(initContainers ? { initContainers } : {}),
      },
    });
    this.#leaveOutBefore(pod);
  }

  getPod(): Promise<PodObject> {
    return this.api.get<PodObject>(PODS, this.pod);
  }

  async patchPod(...operations: object[]): Promise<KubeObject> {
    const pod = await this.api.patch(PODS, this.pod, operations, { type: 'json' });
    this.#leaveOutBefore(pod);
    return pod;
  }

  #leaveOutBefore({ metadata }: KubeObject): void {
    this.#oldest = Number(metadata.resourceVersion);
  }

  setImage(index: number, image: string): Promise<KubeObject> {
    return this.patchPod({ op: 'replace', path: `/spec/containers/${index}/image`, value: image });
  }

  /** The first version of the pod that is as wanted: from the one that was found last, or that was last written here. */
  async untilPod(matches: (pod: PodObject) => unknown, what: string): Promise<PodObject> {
    const end = Date.now() + DEADLINE_MS;
    for (;;) {
      for (let pod = this.#versions[0]; pod; pod = this.#versions[0]) {
        if (Number(pod.metadata.resourceVersion) >= this.#oldest && matches(pod)) return pod;
        this.#versions.shift();
      }
      const { status } = await this.getPod();
      if (Date.now() > end) throw new Error(`${what} did not come; status is ${JSON.stringify(status)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  untilReady(): Promise<PodObject> {
    return this.untilPod(isReady, 'a Ready pod');
  }

  async until(condition: () => unknown, what: string): Promise<void> {
    const end = Date.now() + DEADLINE_MS;
    while (!condition()) {
      if (Date.now() > end) throw new Error(`${what} did not come; the log is ${JSON.stringify(this.log)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Where a file of the pod's volume is. */
  note(name: string): string {
    return path.join(this.stateDir, String(this.#serial), 'v', '0', 'notes', name);
  }

  /** What the containers noted at their starts, in order. */
  starts(): string[] {
    return existsSync(this.note('starts')) ? readFileSync(this.note('starts'), 'utf8').trim().split('\n') : [];
  }

  restartsOf(name: string): number {
    return this.log.filter((line) => line.event === 'started' && line.container === name).length - 1;
  }

  /** Takes as long as this machine needs for a pod from its creation to Ready: whoever could act has acted by then. */
  async otherNodeRunsAPod(): Promise<void> {
    const node = `other-${this.#serial}`;
    const stateDir = path.join(this.stateDir, node);
    const other = await startProcessKubelet({ api: this.api, node, images: IMAGES, stateDir, statusLag: 'none' });
    const metadata = { name: node, namespace: NAMESPACE };
    const containers = [{ name: 'app', image: 'forks:1' }];
    await this.api.create(PODS, { metadata, spec: { nodeName: node, containers } });
    const end = Date.now() + DEADLINE_MS;
    while (!isReady(await this.api.get<PodObject>(PODS, metadata))) {
      if (Date.now() > end) throw new Error('the other node did not come up');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await other.stop(0);
  }

  /** One request on the kubelet's control socket. */
  control(method: string, route: string, body?: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const socketPath = this.#kubelet?.controlSocket;
      const request = http.request({ ...(socketPath ? { socketPath } : {}), method, path: route }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(JSON.parse(text)));
      });
      request.on('error', reject);
      request.end(body && JSON.stringify(body));
    });
  }
}
