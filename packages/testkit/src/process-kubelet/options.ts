import type { KubeApi } from '@sidestep/kube';
import type { CrashBackOffOptions } from './crash-back-off.js';
import type { ImageCatalogue } from './image-catalogue.js';

/** What a process-kubelet is started with. */
export interface ProcessKubeletOptions {
  api: KubeApi;
  /** Name of the node; pods with this `spec.nodeName` are run. */
  node: string;
  /** What each image starts. */
  images: ImageCatalogue;
  /** Logs, volumes and the control socket go here; created with mode 0700. */
  stateDir: string;
  /**
   * `real`: a change inside a pod reaches the API server after the next 1 s relist, and a pod takes no new step before the relist
   * that follows its previous one. `none`: both at once.
   */
  statusLag?: 'real' | 'none';
  /** `real` (10 s doubling to 300 s, forgotten after 10 min), `none`, or a factor that all these times are multiplied by. */
  backOff?: 'real' | 'none' | number | CrashBackOffOptions;
  /** So many containers start at once, each until its postStart hook has returned, two seconds at most. Default: any number. */
  startsAtOnce?: number;
  /** First two numbers of the pods' addresses, such as `127.77`. By default one that no other kubelet of this machine holds. */
  podNetwork?: string;
  /** Also binds pods that have no node. Default false. */
  schedule?: boolean;
  /** Programs put first on every container's PATH: command name to file. */
  programs?: Record<string, string>;
  /** Variables that every container gets, beneath the image's own. By default PATH, HOME and LANG of this process. */
  baseEnv?: Record<string, string>;
  /** Whether Kubernetes Events are written. Default true. */
  events?: boolean;
  /** Called for each thing worth a line in a log. */
  onLog?: (line: KubeletLogLine) => void;
}

/** One line of the kubelet's log. `at` is milliseconds since 1970; the other fields depend on `event`. */
export interface KubeletLogLine {
  at: number;
  event: string;
  pod?: string;
  container?: string;
  [field: string]: unknown;
}

/** One container as it runs, for tests and fault injection. */
export interface RunningContainer {
  namespace: string;
  pod: string;
  podIP: string;
  container: string;
  image: string;
  containerID: string;
  pid: number;
  startedAtMs: number;
  restartCount: number;
  logFile: string;
}

/** Names one container of one pod. */
export interface ContainerRef {
  namespace: string;
  pod: string;
  container: string;
}

/** What tests can make go wrong; the same calls are served on the control socket. */
export interface KubeletFaults {
  /** The kubelet does nothing any more: no step, no status, no heartbeat. Containers run on. */
  freeze(): void;
  thaw(): void;
  /** `freeze`, and what the node lifecycle controller writes then: node Ready=Unknown, its pods Ready=False. */
  loseNode(): Promise<void>;
  /** Sends a signal to the container's main process; rejects with `KubeletError` when it does not run. Resolves with its pid. */
  signal(ref: ContainerRef, signal: NodeJS.Signals): number;
  /** Sends a signal to every process of the container. */
  signalAll(ref: ContainerRef, signal: NodeJS.Signals): number;
  /** Every pull of the image fails until it is told otherwise. */
  failPulls(image: string, fail?: boolean): void;
  /** A pull of the image takes this long; it counts as not yet on the node. */
  slowPulls(image: string, ms: number): void;
}

/** A kubelet that runs. */
export interface ProcessKubelet {
  readonly node: string;
  /** Path of the unix socket that serves `KubeletFaults` over HTTP. */
  readonly controlSocket: string;
  readonly faults: KubeletFaults;
  containers(): RunningContainer[];
  /** Resolves with the running container once `matches` holds for one; rejects with `KubeletError` after the deadline. */
  waitFor(matches: (container: RunningContainer) => boolean, deadlineMs?: number): Promise<RunningContainer>;
  /** Ends every container (SIGTERM, after `graceMs` SIGKILL; default 2 s) and then the kubelet. Pods stay on the API server. */
  stop(graceMs?: number): Promise<void>;
}
