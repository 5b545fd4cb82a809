import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Reflector } from '@sidestep/kube';
import { startControlServer } from './control-server.js';
import { backOffOptions } from './crash-back-off.js';
import { kubeletFaults } from './faults.js';
import { Gate } from './gate.js';
import { ImageStore } from './image-store.js';
import type { NodeContext } from './node-context.js';
import { NodeRegistration } from './node-registration.js';
import type { ContainerRef, ProcessKubelet, ProcessKubeletOptions } from './options.js';
import { PodEvents } from './pod-events.js';
import { PodNetwork } from './pod-network.js';
import type { PodObject } from './pod-spec.js';
import { bindPodsTo, watchPodsOf } from './pod-watch.js';
import { PodWorker } from './pod-worker.js';
import { KUBELET_MARK, killMarked } from './process-marks.js';
import { runningContainers, waitForContainer } from './running-containers.js';
import { StartSlots } from './start-slots.js';
import { prepareStateDirectory } from './state-directory.js';
import { startUndertaker } from './undertaker.js';

/** The kubelet's relist period (PLEG). */
const RELIST_MS = 1_000;
const HOST_IP = '127.0.0.1';

/**
 * Starts a kubelet that runs every container of its node's pods as a real process, with the manners of a real one: serial steps
 * per pod, late status, blocking hooks, back-off by image string. See docs/explanation for what was measured on a real one.
 */
export async function startProcessKubelet(options: ProcessKubeletOptions): Promise<ProcessKubelet> {
  const { api, node } = options;
  const kubeletId = randomUUID();
  const backOff = backOffOptions(options.backOff);
  const stateDir = path.resolve(options.stateDir);
  const state = await prepareStateDirectory(stateDir, options.programs ?? {});
  const base = options.baseEnv ?? baseEnvironment();
  const context: NodeContext = {
    api,
    node,
    kubeletId,
    backOff,
    hostIP: HOST_IP,
    stateDir,
    volumesDir: state.volumesDir,
    baseEnv: { ...base, PATH: [state.binDir, base.PATH].filter(Boolean).join(path.delimiter) },
    statusLag: options.statusLag ?? 'real',
    startSlots: new StartSlots(options.startsAtOnce ?? Number.POSITIVE_INFINITY),
    images: new ImageStore(options.images, backOff),
    network: await PodNetwork.claim(options.podNetwork),
    events: new PodEvents(options.events === false ? undefined : api, node),
    log: (line) => options.onLog?.({ at: Date.now(), ...line } as never),
  };
  const gate = new Gate();
  const pods = new NodePods(context, gate);
  const registration = new NodeRegistration(api, node);
  const find = (ref: ContainerRef) => pods.find(ref);
  const faults = kubeletFaults({ gate, images: context.images, registration, pods: () => pods.list(), find });
  const containers = () => runningContainers(pods.workers());
  const undertaker = startUndertaker(kubeletId);
  await registration.register(HOST_IP);
  const control = await startControlServer(state.controlSocket, faults, containers);
  const logError = (error: unknown) => context.log({ event: 'api-failed', error: String(error) });
  registration.startHeartbeat(() => !gate.isOpen, logError);
  const reflectors: Reflector<PodObject>[] = [watchPodsOf(api, node, pods)];
  if (options.schedule) reflectors.push(bindPodsTo(api, node, logError));
  for (const reflector of reflectors) reflector.start();
  const relist = setInterval(() => gate.isOpen && pods.relist(Date.now()), RELIST_MS);

  return {
    node,
    faults,
    containers,
    controlSocket: state.controlSocket,
    waitFor: (matches, deadlineMs) => waitForContainer(containers, matches, deadlineMs),
    async stop(graceMs = 2_000) {
      registration.stop();
      for (const reflector of reflectors) await reflector.stop();
      const insist = setTimeout(() => void killMarked(KUBELET_MARK, kubeletId), graceMs);
      gate.open();
      await pods.end();
      clearTimeout(insist);
      clearInterval(relist);
      await killMarked(KUBELET_MARK, kubeletId);
      undertaker.stdin?.end();
      control.closeAllConnections();
      control.close();
      context.network.release();
      await state.clear();
    },
  };
}

/** The workers of one node's pods, by uid. */
class NodePods {
  readonly #context: NodeContext;
  readonly #gate: Gate;
  readonly #workers = new Map<string, PodWorker>();
  #count = 0;

  constructor(context: NodeContext, gate: Gate) {
    this.#context = context;
    this.#gate = gate;
  }

  workers(): PodWorker[] {
    return [...this.#workers.values()];
  }

  list(): PodObject[] {
    return this.workers().map(({ pod }) => pod);
  }

  find({ namespace, pod, container }: ContainerRef) {
    return this.workers()
      .filter(({ pod: { metadata } }) => metadata.namespace === namespace && metadata.name === pod)
      .flatMap(({ containers }) => containers.live())
      .find(({ record }) => record.name === container);
  }

  seen = (pod: PodObject): void => {
    const uid = pod.metadata.uid ?? '';
    const known = this.#workers.get(uid);
    if (known) known.update(pod);
    if (known || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return;
    const podIP = this.#context.network.take(new Set(this.workers().map((worker) => worker.podIP)));
    const shortName = (this.#count++).toString(36);
    const worker = new PodWorker({ context: this.#context, pod, podIP, shortName, gate: this.#gate });
    this.#workers.set(uid, worker);
    this.#context.log({ event: 'pod-added', pod: `${pod.metadata.namespace}/${pod.metadata.name}`, podIP });
    if (pod.metadata.deletionTimestamp) worker.update(pod);
    void worker.done.then(() => {
      this.#workers.delete(uid);
      this.#context.events.trim();
    });
  };

  removed = (uid: string): void => {
    this.#workers.get(uid)?.removed();
  };

  relist(nowMs: number): void {
    for (const worker of this.#workers.values()) worker.relist(nowMs);
  }

  async end(): Promise<void> {
    const workers = this.workers();
    for (const worker of workers) worker.removed();
    await Promise.all(workers.map(({ done }) => done));
  }
}

function baseEnvironment(): Record<string, string> {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', HOME = '/', LANG = 'C.UTF-8' } = process.env;
  return { PATH, HOME, LANG };
}
