import { type KubeApi, KubeError, type KubeObject, type ResourceKind } from '@sidestep/kube';
import { type PodObject, wholeSeconds } from './pod-spec.js';
import { isGone, PODS } from './status-writer.js';

const NODES: ResourceKind = { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false };

/** As often as a kubelet reports its node, and as often as its lease is renewed. */
const HEARTBEAT_MS = 10_000;

const condition = (ready: 'True' | 'Unknown') => ({
  type: 'Ready',
  status: ready,
  reason: ready === 'True' ? 'KubeletReady' : 'NodeStatusUnknown',
  message: ready === 'True' ? 'process-kubelet is posting ready status' : 'Kubelet stopped posting node status.',
  lastHeartbeatTime: wholeSeconds(Date.now()),
  lastTransitionTime: wholeSeconds(Date.now()),
});

/** Registers the node and keeps its Ready condition fresh. */
export class NodeRegistration {
  readonly #api: KubeApi;
  readonly #node: string;
  #timer: NodeJS.Timeout | undefined;

  constructor(api: KubeApi, node: string) {
    this.#api = api;
    this.#node = node;
  }

  async register(hostIP: string): Promise<void> {
    const name = this.#node;
    const node: KubeObject = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
      spec: {},
    };
    await this.#api.create(NODES, node).catch((error) => {
      if (!(error instanceof KubeError && error.status === 409)) throw error;
    });
    const capacity = { cpu: '64', memory: '256Gi', pods: '1000' };
    const addresses = [
      { type: 'InternalIP', address: hostIP },
      { type: 'Hostname', address: name },
    ];
    await this.#write({ capacity, allocatable: capacity, addresses, conditions: [condition('True')] });
  }

  startHeartbeat(isFrozen: () => boolean, onError: (error: unknown) => void): void {
    this.#timer = setInterval(() => {
      if (!isFrozen()) this.#write({ conditions: [condition('True')] }).catch(onError);
    }, HEARTBEAT_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What the node lifecycle controller writes when a node is silent: the node Unknown, each of its pods not Ready. */
  async reportLost(pods: readonly PodObject[]): Promise<void> {
    await this.#write({ conditions: [condition('Unknown')] });
    await Promise.all(pods.map((pod) => this.#markUnready(pod)));
  }

  async #markUnready({ metadata: { namespace = 'default', name = '', uid } }: PodObject): Promise<void> {
    const unready = { type: 'Ready', status: 'False', lastTransitionTime: wholeSeconds(Date.now()) };
    const patch = { metadata: { uid }, status: { conditions: [unready] } };
    await this.#api
      .patch(PODS, { namespace, name }, patch, { type: 'strategic', subresource: 'status' })
      .catch((error) => {
        if (!isGone(error)) throw error;
      });
  }

  async #write(status: object): Promise<void> {
    await this.#api.patch(NODES, { name: this.#node }, { status }, { type: 'strategic', subresource: 'status' });
  }
}
