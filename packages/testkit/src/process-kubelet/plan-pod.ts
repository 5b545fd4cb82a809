import { type ContainerRecord, isRunning, newestOf, type PodSnapshot } from './container-record.js';
import { type ContainerSpec, isNativeSidecar, type PodSpec } from './pod-spec.js';

/** What the probes of the running containers have found, by containerID. */
export interface ProbeVerdicts {
  /** The startup probe has succeeded, or there is none. */
  hasStarted(record: ContainerRecord, container: ContainerSpec): boolean;
  /** Why the container must be restarted: its startup or liveness probe failed for good. */
  mustRestart(record: ContainerRecord): 'startup' | 'liveness' | undefined;
}

export interface PlannedKill {
  record: ContainerRecord;
  message: string;
}

/** What a kubelet does next with a pod. Kills come first, then starts, one after another. */
export interface PodPlan {
  kill: PlannedKill[];
  start: ContainerSpec[];
  /** All containers are through and none is started again. */
  finished: boolean;
}

/** Decides the next step of a pod from its spec and the last look at its containers; models the kubelet's computePodActions. */
export function planPod(spec: PodSpec, snapshot: PodSnapshot, verdicts: ProbeVerdicts): PodPlan {
  if (isFinished(spec, snapshot)) return { kill: leftoverSidecars(spec, snapshot), start: [], finished: true };
  const plan: PodPlan = { kill: [], start: [], finished: false };
  if (!planInitContainers(spec, snapshot, verdicts, plan)) return plan;
  for (const container of spec.containers) planContainer(container, spec, snapshot, verdicts, plan);
  return plan;
}

/** Whether the pod is past its init containers: they are not run again once an app container exists. */
export function isInitialized(spec: PodSpec, snapshot: PodSnapshot, verdicts: ProbeVerdicts): boolean {
  if (hasAppContainer(spec, snapshot)) return true;
  return (spec.initContainers ?? []).every((container) => {
    const record = newestOf(snapshot, container.name);
    if (isNativeSidecar(container)) return isRunning(record) && verdicts.hasStarted(record, container);
    return record?.exit?.exitCode === 0;
  });
}

/** Whether a container that does not run is to be started (again). */
export function shouldStart(container: ContainerSpec, spec: PodSpec, snapshot: PodSnapshot): boolean {
  const record = newestOf(snapshot, container.name);
  if (!record) return true;
  if (!record.exit) return false;
  const policy = isNativeSidecar(container) ? 'Always' : (spec.restartPolicy ?? 'Always');
  return policy === 'Always' || (policy === 'OnFailure' && record.exit.exitCode !== 0);
}

/** All app containers are through (or an init container failed for good), and the restart policy lets them be. */
export function isFinished(spec: PodSpec, snapshot: PodSnapshot): boolean {
  if ((spec.restartPolicy ?? 'Always') === 'Always') return false;
  const through = (container: ContainerSpec) =>
    newestOf(snapshot, container.name)?.exit !== undefined && !shouldStart(container, spec, snapshot);
  const initFailed = (spec.initContainers ?? []).some(
    (container) =>
      !isNativeSidecar(container) && through(container) && newestOf(snapshot, container.name)?.exit?.exitCode !== 0,
  );
  return (initFailed && !hasAppContainer(spec, snapshot)) || spec.containers.every(through);
}

const hasAppContainer = (spec: PodSpec, snapshot: PodSnapshot): boolean =>
  spec.containers.some((container) => newestOf(snapshot, container.name) !== undefined);

function leftoverSidecars(spec: PodSpec, snapshot: PodSnapshot): PlannedKill[] {
  return (spec.initContainers ?? [])
    .filter(isNativeSidecar)
    .map((container) => newestOf(snapshot, container.name))
    .filter(isRunning)
    .map((record) => ({ record, message: `Stopping container ${record.name}` }));
}

/** Plans init containers and native sidecars; true when the app containers may be looked at. */
function planInitContainers(spec: PodSpec, snapshot: PodSnapshot, verdicts: ProbeVerdicts, plan: PodPlan): boolean {
  const past = hasAppContainer(spec, snapshot);
  for (const container of spec.initContainers ?? []) {
    if (isNativeSidecar(container)) {
      planContainer(container, spec, snapshot, verdicts, plan);
      const record = newestOf(snapshot, container.name);
      if (!past && !(isRunning(record) && verdicts.hasStarted(record, container))) return false;
    } else if (!past) {
      const record = newestOf(snapshot, container.name);
      if (record?.exit?.exitCode === 0) continue;
      if (!isRunning(record) && shouldStart(container, spec, snapshot)) plan.start.push(container);
      return false;
    }
  }
  return true;
}

function planContainer(
  container: ContainerSpec,
  spec: PodSpec,
  snapshot: PodSnapshot,
  verdicts: ProbeVerdicts,
  plan: PodPlan,
): void {
  const record = newestOf(snapshot, container.name);
  if (!isRunning(record)) {
    if (shouldStart(container, spec, snapshot)) plan.start.push(container);
    return;
  }
  const message = restartMessage(container, record, verdicts);
  if (!message) return;
  plan.kill.push({ record, message });
  plan.start.push(container);
}

function restartMessage(
  container: ContainerSpec,
  record: ContainerRecord,
  verdicts: ProbeVerdicts,
): string | undefined {
  if (record.image !== container.image) return `Container ${container.name} definition changed, will be restarted`;
  const probe = verdicts.mustRestart(record);
  return probe && `Container ${container.name} failed ${probe} probe, will be restarted`;
}
