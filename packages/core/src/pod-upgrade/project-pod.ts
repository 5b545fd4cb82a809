/** Cuts a pod down to what the planner's rules read, sharing every part that many pods have in common. */
import { KRUISE, SIDESTEP } from '../api/keys.js';
import type { Container, ContainerState, ContainerStatus, Pod, PodCondition } from '../api/kubernetes.js';
import { parseObject } from './annotations.js';
import type { ProjectedPod } from './types.js';
import { shortContainerId } from './upgrade-record.js';

const KEPT_CONDITIONS: readonly string[] = ['Ready', 'ContainersReady', KRUISE.upgradableCondition];

/** A pool forgets everything at this size, so that values that never repeat cannot fill the memory. */
const POOL_LIMIT = 20_000;

/**
 * The part of a pod that `summarizePod` and the rollout read: about 2 KB instead of 10 to 20.
 *
 * The projection is lossy on purpose (what makes annotations of equal pods differ goes), so no
 * write may be derived from it; a worker reads the whole pod.
 */
export type PodProjection = (pod: Pod) => ProjectedPod;

/** A projection with pools of its own for texts and objects that repeat; use one per reflector. */
export function podProjection(): PodProjection {
  const pool = new Pool();
  return (pod) => projectWith(pool, pod);
}

/** One-off projection; for many pods use {@link podProjection}, which shares what they have in common. */
export const projectPod: PodProjection = (pod) => projectWith(new Pool(), pod);

class Pool {
  private readonly texts = new Map<string, string>();
  private readonly objects = new Map<string, object>();

  text(value: string): string {
    const known = this.texts.get(value);
    if (known !== undefined) return known;
    if (this.texts.size >= POOL_LIMIT) this.texts.clear();
    this.texts.set(value, value);
    return value;
  }

  /** One object for all equal ones; callers never write to it. */
  object<T extends object>(key: string, make: () => T): T {
    const known = this.objects.get(key);
    if (known !== undefined) return known as T;
    if (this.objects.size >= POOL_LIMIT) this.objects.clear();
    const made = Object.freeze(make());
    this.objects.set(key, made);
    return made;
  }
}

function projectWith(pool: Pool, pod: Pod): ProjectedPod {
  const { metadata, spec, status } = pod;
  const projected: ProjectedPod = {
    projected: true,
    metadata: {
      name: metadata.name ?? '',
      namespace: pool.text(metadata.namespace ?? ''),
      uid: metadata.uid ?? '',
      resourceVersion: metadata.resourceVersion ?? '',
      creationTimestamp: pool.text(metadata.creationTimestamp ?? ''),
      labels: shared(pool, metadata.labels ?? {}),
      annotations: projectAnnotations(pool, metadata.annotations ?? {}),
    },
    spec: { nodeName: pool.text(spec.nodeName ?? ''), containers: projectContainers(pool, spec.containers) },
    status: {
      phase: pool.text(status?.phase ?? ''),
      conditions: projectConditions(pool, status?.conditions ?? []),
      containerStatuses: (status?.containerStatuses ?? []).map((each) => projectStatus(pool, each)),
    },
  };
  if (metadata.deletionTimestamp !== undefined) projected.metadata.deletionTimestamp = metadata.deletionTimestamp;
  const native = (spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  if (native.length > 0) {
    const names = new Set(native.map((container) => container.name));
    const statuses = (status?.initContainerStatuses ?? []).filter((each) => names.has(each.name));
    projected.spec.initContainers = projectContainers(pool, native);
    projected.status = {
      ...projected.status,
      initContainerStatuses: statuses.map((each) => projectStatus(pool, each)),
    };
  }
  return projected;
}

const shared = <T extends object>(pool: Pool, value: T): T => pool.object(JSON.stringify(value), () => ({ ...value }));

function projectContainers(pool: Pool, containers: readonly Container[]): Container[] {
  const cut = containers.map(({ name, image, restartPolicy }): Container => {
    const container: Container = { name };
    if (image !== undefined) container.image = image;
    if (restartPolicy !== undefined) container.restartPolicy = restartPolicy;
    return container;
  });
  return pool.object(`c${JSON.stringify(cut)}`, () => cut);
}

function projectConditions(pool: Pool, conditions: readonly PodCondition[]): PodCondition[] {
  return conditions
    .filter((condition) => KEPT_CONDITIONS.includes(condition.type))
    .map(({ type, status, reason, message, lastTransitionTime }) => {
      const cut: PodCondition = { type, status };
      if (reason !== undefined && type === KRUISE.upgradableCondition) cut.reason = reason;
      if (message !== undefined && type === KRUISE.upgradableCondition) cut.message = message;
      if (lastTransitionTime !== undefined && type !== 'ContainersReady') cut.lastTransitionTime = lastTransitionTime;
      return shared(pool, cut);
    });
}

function projectStatus(pool: Pool, status: ContainerStatus): ContainerStatus {
  const { name, image, imageID, ready, started, restartCount, state, lastState } = status;
  const cut: ContainerStatus = {
    name: pool.text(name),
    image: pool.text(image ?? ''),
    imageID: pool.text(imageID ?? ''),
    containerID: shortContainerId(status),
    ready: ready === true,
    restartCount: restartCount ?? 0,
    state: projectState(pool, state),
  };
  if (started !== undefined) cut.started = started;
  if (lastState?.terminated?.finishedAt !== undefined) {
    const { exitCode, finishedAt } = lastState.terminated;
    cut.lastState = shared(pool, { terminated: { exitCode, finishedAt } });
  }
  return cut;
}

function projectState(pool: Pool, state: ContainerState | undefined): ContainerState {
  if (state?.waiting !== undefined) {
    const { reason, message } = state.waiting;
    const waiting: NonNullable<ContainerState['waiting']> = {};
    if (reason !== undefined) waiting.reason = reason;
    if (message !== undefined) waiting.message = message.slice(0, 200);
    return shared(pool, { waiting });
  }
  if (state?.running !== undefined) return shared(pool, { running: { ...state.running } });
  if (state?.terminated === undefined) return shared(pool, {});
  const { exitCode, finishedAt } = state.terminated;
  return shared(pool, { terminated: finishedAt === undefined ? { exitCode } : { exitCode, finishedAt } });
}

function projectAnnotations(pool: Pool, annotations: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(annotations)) {
    if (key === KRUISE.hash) kept[key] = pool.text(without(value, ['sidecarList', 'sidecarSetName']));
    else if (TIMELESS.includes(key)) kept[key] = pool.text(without(value, UNREAD));
    else if (key === SIDESTEP.upgrade) kept[key] = value;
    else if (isShortKept(key)) kept[pool.text(key)] = pool.text(value);
  }
  return kept;
}

const isShortKept = (key: string): boolean =>
  key === KRUISE.injectedList ||
  key === KRUISE.workingHotContainer ||
  key.startsWith(KRUISE.versionPrefix) ||
  key.startsWith(KRUISE.versionAltPrefix);

/** Their times are those of the pod's creation and first change: nothing reads them, and they make the text unique. */
const TIMELESS: readonly string[] = [KRUISE.hashWithoutImage, KRUISE.inPlaceUpdateState];
const UNREAD = ['updateTimestamp', 'sidecarList', 'sidecarSetName'];

function without(text: string, fields: readonly string[]): string {
  const map = parseObject(text);
  if (map === undefined || map === null) return text;
  const cut = Object.entries(map).map(([name, entry]) => {
    if (typeof entry !== 'object' || entry === null) return [name, entry];
    return [name, Object.fromEntries(Object.entries(entry).filter(([field]) => !fields.includes(field)))];
  });
  return JSON.stringify(Object.fromEntries(cut));
}
