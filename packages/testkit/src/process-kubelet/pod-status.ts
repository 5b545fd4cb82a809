import { type ContainerRecord, newestOf, type PodSnapshot } from './container-record.js';
import { isFinished, isInitialized, type ProbeVerdicts, shouldStart } from './plan-pod.js';
import { podConditions } from './pod-conditions.js';
import {
  type ContainerSpec,
  type ContainerState,
  type ContainerStatus,
  isNativeSidecar,
  type PodObject,
  type PodStatus,
  type TerminatedState,
  wholeSeconds,
} from './pod-spec.js';

/** Why a container could not be started the last time, such as `ImagePullBackOff`. */
export interface StartFailure {
  reason: string;
  message: string;
}

export interface StatusInput {
  pod: PodObject;
  snapshot: PodSnapshot;
  verdicts: ProbeVerdicts;
  /** The readiness probe's last word, true without a probe. */
  isReady(record: ContainerRecord, container: ContainerSpec): boolean;
  failures: ReadonlyMap<string, StartFailure>;
  /** The status as last written: conditions keep their transition times. */
  previous: PodStatus;
  podIP: string;
  hostIP: string;
  startedAtMs: number;
  nowMs: number;
}

/** The status that a kubelet reports for what it last saw of a pod; models its generateAPIPodStatus. */
export function podStatus(input: StatusInput): PodStatus {
  const { spec } = input.pod;
  const containerStatuses = spec.containers.map((container) => containerStatus(container, input));
  const initContainerStatuses = (spec.initContainers ?? []).map((container) => containerStatus(container, input));
  const phase = podPhase(input);
  const status: PodStatus = {
    phase,
    hostIP: input.hostIP,
    podIP: input.podIP,
    podIPs: [{ ip: input.podIP }],
    startTime: wholeSeconds(input.startedAtMs),
    containerStatuses,
    ...(initContainerStatuses.length > 0 ? { initContainerStatuses } : {}),
  };
  const initialized = isInitialized(spec, input.snapshot, input.verdicts);
  return { ...status, conditions: podConditions({ ...input, status, initialized }) };
}

function containerStatus(container: ContainerSpec, input: StatusInput): ContainerStatus {
  const [record, before] = input.snapshot.records.filter(({ name }) => name === container.name);
  if (!record) return neverStarted(container, input);
  const lastState: ContainerState = before?.exit ? { terminated: terminatedState(before) } : {};
  const common = {
    name: container.name,
    restartCount: record.restartCount,
    image: record.statusImage,
    imageID: record.imageID,
    containerID: record.containerID,
  };
  if (!record.exit) {
    const started = input.verdicts.hasStarted(record, container);
    const state = { running: { startedAt: wholeSeconds(record.startedAtMs) } };
    const ready = isPlainInit(container, input) ? false : started && input.isReady(record, container);
    return { ...common, state, lastState, ready, started };
  }
  const terminated = { terminated: terminatedState(record) };
  const failure = input.failures.get(container.name);
  const ready = isPlainInit(container, input) && record.exit.exitCode === 0;
  // A container that will be started again but cannot is Waiting; before the first try fails it shows as Terminated.
  if (!failure || ready || !shouldStart(container, input.pod.spec, input.snapshot)) {
    return { ...common, state: terminated, lastState, ready, started: false };
  }
  return { ...common, state: { waiting: { ...failure } }, lastState: terminated, ready: false, started: false };
}

const isPlainInit = (container: ContainerSpec, input: StatusInput): boolean =>
  !isNativeSidecar(container) && (input.pod.spec.initContainers ?? []).includes(container);

function neverStarted(container: ContainerSpec, input: StatusInput): ContainerStatus {
  const hasInit = (input.pod.spec.initContainers ?? []).length > 0;
  const waiting = input.failures.get(container.name) ?? { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' };
  return {
    name: container.name,
    state: { waiting },
    lastState: {},
    ready: false,
    restartCount: 0,
    image: container.image,
    imageID: '',
    started: false,
  };
}

function terminatedState(record: ContainerRecord): TerminatedState {
  const exit = record.exit!;
  return {
    exitCode: exit.exitCode,
    ...(exit.signal === undefined ? {} : { signal: exit.signal }),
    reason: exit.reason,
    ...(exit.message === undefined ? {} : { message: exit.message }),
    startedAt: wholeSeconds(record.startedAtMs),
    finishedAt: wholeSeconds(exit.finishedAtMs),
    containerID: record.containerID,
  };
}

/** https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-phase */
function podPhase({ pod, snapshot, verdicts }: StatusInput): string {
  const { spec } = pod;
  if (isFinished(spec, snapshot)) {
    const good = [
      ...spec.containers,
      ...(spec.initContainers ?? []).filter((container) => !isNativeSidecar(container)),
    ];
    return good.every(({ name }) => newestOf(snapshot, name)?.exit?.exitCode === 0) ? 'Succeeded' : 'Failed';
  }
  if (!isInitialized(spec, snapshot, verdicts)) return 'Pending';
  return spec.containers.every(({ name }) => newestOf(snapshot, name) !== undefined) ? 'Running' : 'Pending';
}

/** The status of a pod whose containers were all ended because it is being deleted. */
export function endedPodStatus(input: StatusInput): PodStatus {
  const status = podStatus({ ...input, failures: new Map() });
  const failed = (status.containerStatuses ?? []).some(({ state }) => (state.terminated?.exitCode ?? 0) !== 0);
  return { ...status, phase: failed ? 'Failed' : 'Succeeded' };
}
