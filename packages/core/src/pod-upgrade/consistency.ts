/** Whether the kubelet is done with the last image change of a container. */
import type { ContainerStatus } from '../api/kubernetes.js';
import { digestOf, isDigestImage, isSameImage } from './image-reference.js';
import type { ContainerView, PodReading } from './pod-reading.js';
import type { ContainerBefore } from './types.js';
import { shortContainerId, shortImageID } from './upgrade-record.js';

/**
 * A kubelet's status is up to 2 s late, so for that long a container id other than the recorded one can still be the old image,
 * restarted just before the write. Nothing in the status tells the two apart when old and new tag name the same image.
 */
export const STATUS_LAG_MS = 30_000;

/** The change of this container is done: the status shows what the spec asks for, whether or not it is ready. */
export function isConsistent(reading: PodReading, container: ContainerView, now: Date): boolean {
  const { status } = container;
  if (status === undefined) return false;
  const before = recordedBefore(reading, container);
  if (before === undefined) return isConsistentByImage(reading, container, status);
  if (!wasReplaced(before, status)) return isLeftRunning(before, container, status, reading, now);
  return showsImage(container.image, status) || isStartedSince(status, reading, now);
}

/** A change that is taken back before the kubelet saw it restarts nothing. */
function isLeftRunning(
  before: ContainerBefore,
  container: ContainerView,
  status: ContainerStatus,
  reading: PodReading,
  now: Date,
): boolean {
  if (status.state?.running === undefined) return false;
  if (before.ran !== undefined) return isSameImage(before.ran, container.image);
  return showsImage(container.image, status) && now.getTime() >= reportedBy(reading);
}

/** Unix ms by which a kubelet that is alive has reported the last write; 0 when none is known. */
export function reportedBy({ record }: PodReading): number {
  const written = Date.parse(record?.since ?? '');
  return Number.isNaN(written) ? 0 : written + STATUS_LAG_MS;
}

/**
 * The status is about this image. A runtime prints `docker.io/library/nginx:1` for `nginx:1`, and any one tag of an image that
 * has several; then the answer is no.
 */
export function showsImage(image: string, { image: shown = '', imageID = '' }: ContainerStatus): boolean {
  if (shown === image || shown.endsWith(`/${image}`)) return true;
  return isDigestImage(image) && imageID.endsWith(digestOf(image) ?? '\n');
}

/** What the container was before its last change, if that change was Sidestep's and nobody changed it since. */
export function recordedBefore(reading: PodReading, container: ContainerView): ContainerBefore | undefined {
  const entries = reading.record?.containers;
  if (entries === undefined || !Object.hasOwn(entries, container.name)) return undefined;
  const before = entries[container.name];
  if (before === undefined || before.image !== container.image) return undefined;
  // OpenKruise writes a new version, or another last imageID, and knows nothing of this record.
  if (before.version !== container.version) return undefined;
  const last = reading.inPlaceState?.lastContainerStatuses[container.name]?.imageID;
  return before.imageID === shortImageID(last) ? before : undefined;
}

function wasReplaced(before: ContainerBefore, status: ContainerStatus): boolean {
  const id = shortContainerId(status);
  if (id !== '' || before.id !== '') return id !== '' && id !== before.id;
  // Status writers other than a kubelet may know no container ids.
  return (status.restartCount ?? 0) > before.restarts && status.state?.running !== undefined;
}

function isStartedSince(status: ContainerStatus, reading: PodReading, now: Date): boolean {
  if (now.getTime() >= reportedBy(reading)) return true;
  const written = Date.parse(reading.record?.since ?? '');
  const startedAt = Date.parse(status.state?.running?.startedAt ?? '');
  // startedAt has whole seconds.
  return !Number.isNaN(startedAt) && startedAt >= written - (written % 1_000);
}

/**
 * OpenKruise 1.9's rule, for pods that were only injected and those that it changed itself: a digest must be the running one's; a
 * tag is done when nobody changed it, the imageID changed, or the status names the image.
 */
function isConsistentByImage({ inPlaceState }: PodReading, container: ContainerView, status: ContainerStatus): boolean {
  if (isDigestImage(container.image)) return (status.imageID ?? '').endsWith(digestOf(container.image) ?? '\n');
  const last = inPlaceState?.lastContainerStatuses;
  if (last === undefined || !Object.hasOwn(last, container.name)) return true;
  return last[container.name]?.imageID !== (status.imageID || undefined) || status.image === container.image;
}

/** Every container of the pod has a status; without that OpenKruise counts the pod as inconsistent. */
export function hasEveryStatus({ pod }: PodReading): boolean {
  return pod.spec.containers.length === (pod.status?.containerStatuses?.length ?? 0);
}

/** Ready, and past its startup probe. */
export const isContainerReady = (status: ContainerStatus | undefined): boolean =>
  status?.ready === true && status.started !== false;
