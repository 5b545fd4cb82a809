import path from 'node:path';
import { killContainer, startContainer } from './container-lifecycle.js';
import {
  type ContainerRecord,
  differs,
  EMPTY_SNAPSHOT,
  newestExitOf,
  newestOf,
  type PodSnapshot,
} from './container-record.js';
import { CrashBackOff } from './crash-back-off.js';
import { type Gate, newTrigger, type Trigger } from './gate.js';
import { killPod, killRequest } from './kill-pod.js';
import type { NodeContext } from './node-context.js';
import { planPod } from './plan-pod.js';
import { PodContainers } from './pod-containers.js';
import type { ContainerSpec, PodObject, PodStatus } from './pod-spec.js';
import { endedPodStatus, podStatus, type StartFailure } from './pod-status.js';
import { PodVolumes } from './pod-volumes.js';
import { Prober } from './prober.js';
import { removePod } from './remove-pod.js';
import { StatusWriter } from './status-writer.js';

export interface PodWorkerOptions {
  context: NodeContext;
  pod: PodObject;
  podIP: string;
  /** Short and unique among the pods of this kubelet. */
  shortName: string;
  gate: Gate;
}

/**
 * One pod, one worker: its steps are strictly serial. A step looks at what the last relist saw, reports it, and then kills and
 * starts what the plan says; the report of what it did comes with the next look.
 */
export class PodWorker {
  readonly podIP: string;
  readonly containers: PodContainers;
  readonly #context: NodeContext;
  readonly #gate: Gate;
  readonly #volumes: PodVolumes;
  readonly #backOff: CrashBackOff;
  readonly #prober: Prober;
  readonly #writer: StatusWriter;
  readonly #trigger: Trigger = newTrigger();
  readonly #cancel = new AbortController();
  readonly #failures = new Map<string, StartFailure>();
  readonly #startedAtMs = Date.now();
  #pod: PodObject;
  #status: PodStatus;
  /** What the last relist saw, and what the last step went by. */
  #relisted: PodSnapshot = EMPTY_SNAPSHOT;
  #seen: PodSnapshot = EMPTY_SNAPSHOT;
  /** Counts relists; a step needs one that the step before it did not have. */
  #looks = 0;
  #looksAtLastStep = -1;
  #retry: NodeJS.Timeout | undefined;
  #newRelist: Trigger = newTrigger();
  #isOnServer = true;
  /** Containers failed to start, which was not reported yet. */
  #hasNews = false;
  readonly done: Promise<void>;

  constructor(options: PodWorkerOptions) {
    const { context, pod, podIP, shortName } = options;
    this.#context = context;
    this.#gate = options.gate;
    this.#pod = pod;
    this.#status = pod.status ?? {};
    this.podIP = podIP;
    this.#volumes = new PodVolumes(path.join(context.volumesDir, shortName));
    const { namespace, name, uid } = pod.metadata;
    const dir = path.join(context.stateDir, 'pods', `${namespace}_${name}_${uid}`);
    this.containers = new PodContainers(context, { podIP, dir, volumes: this.#volumes }, (record) =>
      this.#exited(record),
    );
    this.#backOff = new CrashBackOff(context.backOff);
    this.#writer = new StatusWriter(context, pod);
    this.#prober = new Prober({
      containers: this.containers,
      isFrozen: () => !this.#gate.isOpen,
      onChange: (kind, record) => this.#probed(kind, record),
      onFailure: (kind, record, message) =>
        context.events.record(this.#pod, 'Warning', 'Unhealthy', `${kind} probe failed: ${message}`, record.name),
    });
    this.#trigger.set();
    this.done = this.#run();
  }

  get pod(): PodObject {
    return this.#pod;
  }

  /** The pod as the API server has it now. */
  update(pod: PodObject): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp) this.#cancel.abort();
    this.#trigger.set();
  }

  /** The pod is gone from the API server, or its kubelet ends: what still runs is ended, and nothing is written any more. */
  removed(): void {
    this.#isOnServer = false;
    this.#cancel.abort();
    this.#trigger.set();
  }

  /** The runtime is looked at; a step waits for a look that is younger than the step before it. */
  relist(nowMs: number): void {
    const snapshot = this.containers.snapshot(nowMs);
    const changed = differs(this.#relisted, snapshot);
    this.#relisted = snapshot;
    this.#looks += 1;
    this.#newRelist.set();
    if (changed) this.#trigger.set();
    if (!this.#hasNews || this.#cancel.signal.aborted) return;
    this.#hasNews = false;
    this.#seen = snapshot;
    this.#report();
  }

  async #run(): Promise<void> {
    await this.#volumes.create(this.#pod);
    for (;;) {
      await this.#trigger.wait();
      await this.#gate.opened();
      await this.#freshLook();
      if (this.#cancel.signal.aborted) break;
      await this.#step().catch((error: unknown) => {
        this.#context.log({ event: 'step-failed', pod: this.#pod.metadata.name ?? '', error: String(error) });
        this.#failed();
      });
    }
    await this.#end();
  }

  async #freshLook(): Promise<void> {
    if (this.#context.statusLag === 'none') this.relist(Date.now());
    while (this.#looks === this.#looksAtLastStep) {
      this.#newRelist = newTrigger();
      await this.#newRelist.wait();
    }
  }

  async #step(): Promise<void> {
    this.#seen = this.#relisted;
    this.#prober.follow(this.#pod, this.#seen);
    this.#report();
    const plan = planPod(this.#pod.spec, this.#seen, this.#prober);
    const pod = this.#pod;
    for (const { record, message } of plan.kill) {
      const live = this.containers.find(record.containerID);
      const on = { context: this.#context, pod, containers: this.containers };
      if (live) await killContainer({ ...killRequest(on, live), message });
    }
    let started = 0;
    for (const container of plan.start) {
      if (this.#cancel.signal.aborted) break;
      if (await this.#start(pod, container)) started += 1;
    }
    this.#looksAtLastStep = this.#looks;
    if (started < plan.start.length) this.#failed();
    if (this.#context.statusLag === 'none' && plan.kill.length + started > 0) this.#trigger.set();
  }

  /** Starts a container unless its back-off holds it; false when it does not run now. */
  async #start(pod: PodObject, container: ContainerSpec): Promise<boolean> {
    const held = this.#heldBy(container);
    if (held) this.#context.events.record(pod, 'Warning', 'BackOff', held.message, container.name);
    const failure =
      held ??
      (await startContainer({
        context: this.#context,
        containers: this.containers,
        pod,
        container,
        restartCount: this.#nextRestartCount(container),
        cancel: this.#cancel.signal,
      }));
    if (failure) this.#failures.set(container.name, failure);
    else this.#failures.delete(container.name);
    return !failure;
  }

  /** By the exits that the last relist knew: a process that this very step ended does not count yet, as with the real kubelet. */
  #heldBy(container: ContainerSpec): StartFailure | undefined {
    const exit = newestExitOf(this.#seen, container.name);
    if (!exit) return undefined;
    const holdMs = this.#backOff.holdOrCount(container.name, container.image, exit.finishedAtMs, Date.now());
    if (holdMs === 0) return undefined;
    const delay = `${Math.round(this.#backOff.delayOf(container.name, container.image) / 1000)}s`;
    const { name, namespace, uid } = this.#pod.metadata;
    const message = `back-off ${delay} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
    return { reason: 'CrashLoopBackOff', message };
  }

  #nextRestartCount(container: ContainerSpec): number {
    const newest = newestOf(this.containers.snapshot(0), container.name);
    if (newest) return newest.restartCount + 1;
    // A pod that an earlier kubelet ran goes on counting.
    const reported = this.#pod.status?.containerStatuses?.find(({ name }) => name === container.name);
    return reported?.containerID ? reported.restartCount + 1 : 0;
  }

  /** Why nothing runs is reported with the next look; whether it can run now is asked again later, not at once. */
  #failed(): void {
    this.#hasNews = true;
    if (this.#context.statusLag === 'none') this.relist(Date.now());
    clearTimeout(this.#retry);
    const ms = this.#context.backOff.retryMs * (1 + Math.random() / 2);
    this.#retry = setTimeout(() => this.#trigger.set(), ms);
  }

  #report(): void {
    this.#status = podStatus(this.#statusInput());
    this.#writer.set(this.#status);
  }

  #statusInput() {
    return {
      pod: this.#pod,
      snapshot: this.#seen,
      verdicts: this.#prober,
      isReady: this.#prober.isReady.bind(this.#prober),
      failures: this.#failures,
      previous: this.#status,
      podIP: this.podIP,
      hostIP: this.#context.hostIP,
      startedAtMs: this.#startedAtMs,
      nowMs: Date.now(),
    };
  }

  #exited(record: ContainerRecord): void {
    const { exitCode, signal } = record.exit!;
    const { namespace, name } = this.#pod.metadata;
    const about = { pod: `${namespace}/${name}`, podIP: this.podIP, container: record.name, pid: record.pid };
    this.#context.log({ event: 'exited', ...about, exitCode, signal, exitedAtMs: record.exit!.finishedAtMs });
    if (this.#context.statusLag === 'none') this.#trigger.set();
  }

  /** Readiness is reported at once, even while a hook holds the pod; a failed startup or liveness probe asks for a step. */
  #probed(kind: string, record: ContainerRecord): void {
    this.#context.log({ event: 'probe-turned', container: record.name, kind });
    if (this.#cancel.signal.aborted) return;
    if (this.#gate.isOpen) this.#report();
    this.#trigger.set();
  }

  async #end(): Promise<void> {
    clearTimeout(this.#retry);
    this.#prober.stop();
    await killPod({ context: this.#context, pod: this.#pod, containers: this.containers });
    if (this.#isOnServer) {
      this.#seen = this.containers.snapshot(Date.now());
      this.#writer.set(endedPodStatus(this.#statusInput()));
      await this.#writer.flushed();
      await removePod(this.#context, this.#pod, () => this.#isOnServer);
    }
    this.#writer.stop();
    await this.#volumes.remove();
  }
}
