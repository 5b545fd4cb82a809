import { type ContainerRecord, isRunning, newestOf, type PodSnapshot } from './container-record.js';
import { translatePaths } from './mount-paths.js';
import type { ProbeVerdicts } from './plan-pod.js';
import type { LiveContainer, PodContainers } from './pod-containers.js';
import { allContainers, type ContainerSpec, type PodObject, type Probe, type ProbeKind, probeOf } from './pod-spec.js';
import { ProbeState, probeTiming } from './probe-state.js';
import { runHandler } from './run-handler.js';

const KINDS: readonly ProbeKind[] = ['startup', 'readiness', 'liveness'];

export interface ProberOptions {
  containers: PodContainers;
  /** While it says so no probe is run. */
  isFrozen(): boolean;
  /** A verdict changed. */
  onChange(kind: ProbeKind, record: ContainerRecord): void;
  onFailure(kind: ProbeKind, record: ContainerRecord, message: string): void;
}

/** The probes of one pod. Each runs for one container of the last report: a new container begins anew once it was reported. */
export class Prober implements ProbeVerdicts {
  readonly #options: ProberOptions;
  readonly #runs = new Map<string, ProbeRun>();

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  /** Starts the probes of containers that are reported as running, and ends those of others. */
  follow(pod: PodObject, snapshot: PodSnapshot): void {
    const wanted = new Set<string>();
    for (const container of allContainers(pod.spec)) {
      const record = newestOf(snapshot, container.name);
      const live = isRunning(record) ? this.#options.containers.find(record.containerID) : undefined;
      for (const kind of live ? KINDS : []) {
        const probe = probeOf(container, kind);
        if (!probe || !live) continue;
        const key = runKey(kind, live.record);
        wanted.add(key);
        if (!this.#runs.has(key)) this.#runs.set(key, new ProbeRun({ kind, probe, container, live, prober: this }));
      }
    }
    for (const [key, run] of this.#runs) {
      if (wanted.has(key)) continue;
      run.stop();
      this.#runs.delete(key);
    }
  }

  stop(): void {
    for (const run of this.#runs.values()) run.stop();
    this.#runs.clear();
  }

  hasStarted(record: ContainerRecord, container: ContainerSpec): boolean {
    return !container.startupProbe || this.#result('startup', record) === 'success';
  }

  isReady(record: ContainerRecord, container: ContainerSpec): boolean {
    return !container.readinessProbe || this.#result('readiness', record) === 'success';
  }

  mustRestart(record: ContainerRecord): 'startup' | 'liveness' | undefined {
    if (this.#result('startup', record) === 'failure') return 'startup';
    return this.#result('liveness', record) === 'failure' ? 'liveness' : undefined;
  }

  get options(): ProberOptions {
    return this.#options;
  }

  #result(kind: ProbeKind, record: ContainerRecord) {
    return this.#runs.get(runKey(kind, record))?.state.result;
  }
}

const runKey = (kind: ProbeKind, record: ContainerRecord): string => `${kind} ${record.containerID}`;

interface ProbeRunOptions {
  kind: ProbeKind;
  probe: Probe;
  container: ContainerSpec;
  live: LiveContainer;
  prober: Prober;
}

class ProbeRun {
  readonly state: ProbeState;
  readonly #options: ProbeRunOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout;

  constructor(options: ProbeRunOptions) {
    this.#options = options;
    this.state = new ProbeState(options.kind, options.probe);
    const sinceStart = Date.now() - options.live.record.startedAtMs;
    const firstIn = Math.max(0, probeTiming(options.probe).initialDelayMs - sinceStart);
    this.#timer = setTimeout(() => this.#tick(), firstIn);
  }

  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#timer);
  }

  #tick(): void {
    const { periodMs } = probeTiming(this.#options.probe);
    const startedAt = Date.now();
    void this.#look().then(() => {
      if (this.#stop.signal.aborted) return;
      const waiting = this.#waitsForStartup() || this.#options.prober.options.isFrozen();
      // Once started, the first readiness look follows at once, as the kubelet's own trigger makes it.
      const nextIn = waiting ? Math.min(periodMs, 100) : periodMs - (Date.now() - startedAt);
      this.#timer = setTimeout(() => this.#tick(), Math.max(0, nextIn));
    });
  }

  #waitsForStartup(): boolean {
    const { kind, prober, live, container } = this.#options;
    return kind !== 'startup' && !prober.hasStarted(live.record, container);
  }

  async #look(): Promise<void> {
    const { kind, probe, container, live, prober } = this.#options;
    if (prober.options.isFrozen() || this.#waitsForStartup()) return;
    // A startup probe ends with its success; a container that is to be restarted is not asked again.
    if (kind === 'startup' && this.state.result !== 'unknown') return;
    if (kind === 'liveness' && this.state.result === 'failure') return;
    const { ok, message } = await runHandler(probe, {
      container,
      podIP: prober.options.containers.podIP,
      env: live.env,
      cwd: live.cwd,
      translate: (text) => translatePaths(text, live.mappings),
      timeoutMs: probeTiming(probe).timeoutMs,
      endsWith: [this.#stop.signal, live.gone.signal],
    });
    if (this.#stop.signal.aborted || live.gone.signal.aborted) return;
    if (!ok) prober.options.onFailure(kind, live.record, message);
    if (this.state.take(ok)) prober.options.onChange(kind, live.record);
  }
}
