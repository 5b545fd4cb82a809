import { createHash } from 'node:crypto';

/** What the instant kubelet reads of a pod. */
export interface KubeletPod {
  metadata: {
    name?: string;
    namespace?: string;
    uid?: string;
    deletionTimestamp?: string;
    [field: string]: unknown;
  };
  spec?: { nodeName?: string; containers?: SpecContainer[]; initContainers?: SpecContainer[] };
  status?: PodStatus;
}

interface SpecContainer {
  name: string;
  image?: string;
  restartPolicy?: string;
}

interface ContainerStatus {
  name: string;
  image: string;
  imageID: string;
  containerID: string;
  ready: boolean;
  started: boolean;
  restartCount: number;
  state: object;
  lastState: object;
}

interface Condition {
  type: string;
  status: string;
  lastTransitionTime: string;
  reason?: string;
}

export interface PodStatus {
  phase?: string;
  startTime?: string;
  podIP?: string;
  conditions?: Condition[];
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
  [field: string]: unknown;
}

/** The kubelet's own conditions; others (readiness gates, SidecarSetUpgradable) belong to somebody else. */
const CONDITIONS = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'] as const;

/**
 * The status of a pod whose containers all run what the spec says, as a kubelet would report it; `undefined` when the pod says
 * so already. A container whose image changed is a new container: another containerID, one restart more.
 *
 * @param bad images that cannot be pulled
 */
export function acknowledge(pod: KubeletPod, now: Date, bad: (image: string) => boolean): PodStatus | undefined {
  const { spec, status = {} } = pod;
  const time = seconds(now);
  const containers = statuses(pod, spec?.containers, status.containerStatuses, time, bad);
  const init = statuses(pod, spec?.initContainers, status.initContainerStatuses, time, bad).map(finished(spec, time));
  const ready = containers.every((container) => container.ready);
  const next: PodStatus = {
    phase: 'Running',
    startTime: status.startTime ?? time,
    podIP: status.podIP ?? '127.0.0.1',
    conditions: CONDITIONS.map((type) => condition(type, ready, status.conditions, time)),
    containerStatuses: containers,
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
  };
  return isReported(status, next) ? undefined : next;
}

function statuses(
  pod: KubeletPod,
  containers: SpecContainer[] = [],
  reported: ContainerStatus[] = [],
  time: string,
  bad: (image: string) => boolean,
): ContainerStatus[] {
  return containers.map(({ name, image = '' }) => {
    const before = reported.find((status) => status.name === name);
    if (before?.image === image) return before;
    const restartCount = before === undefined ? 0 : before.restartCount + 1;
    const runs = !bad(image);
    return {
      name,
      image,
      imageID: runs ? imageId(image) : '',
      containerID: runs ? `containerd://${sha(`${pod.metadata.uid}/${name}/${restartCount}`)}` : '',
      ready: runs,
      started: runs,
      restartCount,
      state: runs ? { running: { startedAt: time } } : { waiting: { reason: 'ErrImagePull' } },
      lastState: {},
    };
  });
}

/** Init containers have ended well, native sidecars among them run on. */
const finished =
  (spec: KubeletPod['spec'], time: string) =>
  (status: ContainerStatus, index: number): ContainerStatus =>
    spec?.initContainers?.[index]?.restartPolicy === 'Always' || 'terminated' in status.state
      ? status
      : { ...status, state: { terminated: { exitCode: 0, reason: 'Completed', startedAt: time, finishedAt: time } } };

function condition(
  type: (typeof CONDITIONS)[number],
  ready: boolean,
  reported: Condition[] = [],
  time: string,
): Condition {
  const holds = type === 'PodScheduled' || type === 'Initialized' || ready;
  const status = holds ? 'True' : 'False';
  const before = reported.find((one) => one.type === type);
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : time;
  return { type, status, lastTransitionTime, ...(holds ? {} : { reason: 'ContainersNotReady' }) };
}

function isReported(status: PodStatus, next: PodStatus): boolean {
  const own = status.conditions?.filter(({ type }) => (CONDITIONS as readonly string[]).includes(type)) ?? [];
  return (
    status.phase === next.phase &&
    own.length === CONDITIONS.length &&
    sameContainers(status.containerStatuses, next.containerStatuses) &&
    sameContainers(status.initContainerStatuses, next.initContainerStatuses)
  );
}

const sameContainers = (a: ContainerStatus[] = [], b: ContainerStatus[] = []): boolean =>
  a.length === b.length && a.every(({ image }, index) => image === b[index]?.image);

const imageId = (image: string): string =>
  /@sha256:[0-9a-f]{64}$/.test(image) ? image : `${image.replace(/:[^:/]*$/, '')}@sha256:${sha(image)}`;

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

const seconds = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z');
