/** When an upgrade of a pod has failed, and the one word for why. */
import type { ContainerStatus } from '../api/kubernetes.js';
import type { Reason } from '../api/reasons.js';
import { isConsistent, isContainerReady, recordedBefore, reportedBy, showsImage } from './consistency.js';
import type { ContainerView, PodReading, Problem } from './pod-reading.js';
import type { ContainerBefore } from './types.js';
import { shortContainerId } from './upgrade-record.js';

/** The kubelet's words for a container that waits, in ours. Others (ContainerCreating, PodInitializing) are no failure. */
const WAITING_REASONS: Readonly<Record<string, Reason>> = {
  ErrImagePull: 'ImagePullFailed',
  ImagePullBackOff: 'ImagePullFailed',
  ErrImageNeverPull: 'ImagePullFailed',
  RegistryUnavailable: 'ImagePullFailed',
  SignatureValidationFailed: 'ImagePullFailed',
  ImageInspectError: 'ImagePullFailed',
  InvalidImageName: 'InvalidImage',
  CreateContainerError: 'ContainerCannotStart',
  CreateContainerConfigError: 'ContainerCannotStart',
  RunContainerError: 'ContainerCannotStart',
  PreCreateHookError: 'ContainerCannotStart',
  PreStartHookError: 'ContainerCannotStart',
  PostStartHookError: 'PostStartHookFailed',
  CrashLoopBackOff: 'CrashLoop',
};

/**
 * A plain container that ran well for this long is past its upgrade: a later crash is its own trouble. Ten minutes is also how
 * long the kubelet remembers a restart.
 */
const PLAIN_SETTLED_MS = 600_000;

/** A kubelet that cannot pull goes round: pulling fails, the pull waits, the container waits. */
const PULL_LOOP: readonly Reason[] = ['ImagePullFailed', 'CrashLoop'];

/** A kubelet's word for a container that waits, as a reason; undefined for what is no failure. */
export const troubleOf = (waiting = ''): Reason | undefined =>
  Object.hasOwn(WAITING_REASONS, waiting) ? WAITING_REASONS[waiting] : undefined;

/** The first of these containers that cannot start. */
export function findFailure(reading: PodReading, containers: readonly ContainerView[], now: Date): Problem | undefined {
  for (const container of containers) {
    const failure = containerFailure(reading, container, now);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** Why this container cannot start. */
export function containerFailure(reading: PodReading, container: ContainerView, now: Date): Problem | undefined {
  const { status, name } = container;
  const waiting = status?.state?.waiting;
  const reason = troubleOf(waiting?.reason);
  if (status === undefined || reason === undefined || isContainerReady(status)) return undefined;
  if (isLeftover(reading, container, status, now)) return undefined;
  if (container.version === undefined && isSettled(reading, container, now)) return undefined;
  const detail = waiting?.message === undefined || waiting.message === '' ? '' : ` (${clip(waiting.message)})`;
  const message = `container ${name} with image ${container.image} is in ${waiting?.reason}${detail}`;
  return { reason, message, container: name };
}

/** The trouble is that of an earlier image: shown before the image was changed, or reported late about one that came between. */
function isLeftover(reading: PodReading, container: ContainerView, status: ContainerStatus, now: Date): boolean {
  const before = recordedBefore(reading, container);
  if (before === undefined || now.getTime() >= reportedBy(reading)) return false;
  if (before.id === shortContainerId(status)) {
    return before.restarts === (status.restartCount ?? 0) && isSameTrouble(before, status);
  }
  // A container that was made since the write names its image; an image that cannot be pulled makes none.
  return !showsImage(container.image, status);
}

function isSameTrouble(before: ContainerBefore, { state }: ContainerStatus): boolean {
  const [was, is] = [before.waiting, state?.waiting?.reason].map(troubleOf);
  // Nothing ran when the image was changed: what is held back is a container that had ended by then.
  if (is === 'CrashLoop' && before.ran === undefined) return true;
  return was === is || [was, is].every((word) => word !== undefined && PULL_LOOP.includes(word));
}

/** It ran as it is for so long that its trouble is none of the upgrade's. */
export function isSettled(reading: PodReading, container: ContainerView, now: Date): boolean {
  if (!isConsistent(reading, container, now)) return false;
  const begun = Date.parse(reading.record?.begun ?? reading.stamp?.updateTimestamp ?? '');
  const ready = reading.pod.status?.conditions?.find((condition) => condition.type === 'Ready');
  const changed = Date.parse(ready?.lastTransitionTime ?? '');
  if (Number.isNaN(begun)) return true;
  return (Number.isNaN(changed) ? now.getTime() : changed) - begun > PLAIN_SETTLED_MS;
}

const clip = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text);

/** Unix ms at which the attempt fails by time; undefined without `progressDeadlineSeconds` or a known start. */
export function deadlineOf({ target, record, stamp }: PodReading): number | undefined {
  const seconds = target.sidecarSet.spec.updateStrategy?.progressDeadlineSeconds;
  if (typeof seconds !== 'number') return undefined;
  const begun = Date.parse(record?.begun ?? stamp?.updateTimestamp ?? '');
  return Number.isNaN(begun) ? undefined : begun + seconds * 1_000;
}
