/** Sidestep's own record of a write: what `sidestep.dev/upgrade` says about the pod afterwards. */
import { versionKey } from './annotations.js';
import type { Assessment } from './assess-pod.js';
import { isConsistent, isContainerReady, recordedBefore } from './consistency.js';
import type { ContainerView, PodReading } from './pod-reading.js';
import type { ContainerBefore, StartHistory, UpgradeRecord } from './types.js';
import { shortContainerId, shortImageID } from './upgrade-record.js';
import { hasTakenOver, type WritePlan } from './write-plan.js';

/** @param annotations the pod's other annotations after the write */
export function recordAfter(
  reading: PodReading,
  assessment: Assessment,
  plan: WritePlan,
  annotations: Readonly<Record<string, string>>,
  now: Date,
): UpgradeRecord {
  const record: UpgradeRecord = { ...headOf(reading, assessment, plan, now) };
  if (plan.version > 0n) record.version = plan.version.toString();
  const containers = { ...keptContainers(reading), ...changedContainers(reading, plan, annotations, now) };
  if (Object.keys(containers).length > 0) record.containers = containers;
  const starts = startsAfter(reading, plan);
  if (Object.keys(starts).length > 0) record.starts = starts;
  return record;
}

function headOf(reading: PodReading, assessment: Assessment, plan: WritePlan, now: Date): UpgradeRecord {
  const since = now.toISOString();
  if (assessment.due === 'upgrade') return headOfUpgrade(reading, plan, now);
  const { record, stamp: stamped, target } = reading;
  const head: UpgradeRecord = {
    phase: 'Resetting',
    revision: stamped?.hash ?? target.hash,
    attempt: record?.attempt ?? 1,
    since,
  };
  const from = record?.from;
  const to = stamped?.controllerRevision ?? record?.to;
  if (from !== undefined) head.from = from;
  if (to !== undefined) head.to = to;
  if (record?.begun !== undefined) head.begun = record.begun;
  if (record?.retry !== undefined) head.retry = record.retry;
  if (assessment.due === 'abort') {
    head.phase = assessment.failure === undefined ? 'Aborted' : 'Failed';
    head.reason = assessment.reason;
  }
  return head;
}

function headOfUpgrade(reading: PodReading, plan: WritePlan, now: Date): UpgradeRecord {
  const { record, target, pairs } = reading;
  const since = now.toISOString();
  const attempt = nextAttempt(reading);
  const head: UpgradeRecord = { phase: 'Upgrading', revision: target.hash, attempt, since, begun: since };
  if (target.controllerRevision !== undefined) head.to = target.controllerRevision;
  if (target.retryToken !== undefined) head.retry = target.retryToken;
  // A pod that is redirected half way still has its old containers, and goes back to their revision if it must.
  const open = pairs.filter((pair) => pair.open);
  const redirected = open.filter((pair) => !hasTakenOver(reading, pair, now));
  if (redirected.length === 0) Object.assign(head, originOf(reading));
  else if (redirected.length === open.length) Object.assign(head, inheritedOrigin(record));
  const unready = redirected.length > 0 ? record?.unready : unreadyContainers(reading, plan);
  if (unready !== undefined && unready.length > 0) head.unready = unready;
  const images = { ...oldPlainImages(reading, plan), ...(redirected.length > 0 ? record?.images : {}) };
  if (Object.keys(images).length > 0) head.images = images;
  return head;
}

type Origin = Pick<UpgradeRecord, 'from' | 'fromHash' | 'fromHashWithoutImage'>;

/** The revision that the pod is stamped with. */
function originOf({ stamp: stamped, stampWithoutImage, target }: PodReading): Origin {
  const origin: Origin = {};
  if (stamped?.controllerRevision !== undefined) origin.from = stamped.controllerRevision;
  if (stamped !== undefined) origin.fromHash = stamped.hash;
  const withoutImage = stampWithoutImage?.hash;
  if (withoutImage !== undefined && withoutImage !== target.hashWithoutImage) {
    origin.fromHashWithoutImage = withoutImage;
  }
  return origin;
}

function inheritedOrigin(record: UpgradeRecord | undefined): Origin {
  const origin: Origin = {};
  if (record?.from !== undefined) origin.from = record.from;
  if (record?.fromHash !== undefined) origin.fromHash = record.fromHash;
  if (record?.fromHashWithoutImage !== undefined) origin.fromHashWithoutImage = record.fromHashWithoutImage;
  return origin;
}

/** The number of the attempt that an upgrade of this pod to the target would be. */
export function nextAttempt({ record, target }: PodReading): number {
  return record?.revision === target.hash ? record.attempt + 1 : 1;
}

function unreadyContainers({ pod }: PodReading, plan: WritePlan): string[] {
  const changed = new Set(plan.changes.map((change) => change.container.name));
  const statuses = pod.status?.containerStatuses ?? [];
  return statuses.filter((status) => !isContainerReady(status) && !changed.has(status.name)).map(({ name }) => name);
}

function oldPlainImages({ plain }: PodReading, plan: WritePlan): Record<string, string> {
  const changed = new Set(plan.changes.map((change) => change.container.name));
  const views = plain.map((view) => view.container).filter((container) => changed.has(container.name));
  return Object.fromEntries(views.map((container) => [container.name, container.image]));
}

function keptContainers({ record, pod }: PodReading): Record<string, ContainerBefore> {
  const images = new Map<string, string | undefined>();
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    images.set(container.name, container.image);
  }
  const entries = Object.entries(record?.containers ?? {});
  return Object.fromEntries(entries.filter(([name, before]) => images.get(name) === before.image));
}

function changedContainers(
  reading: PodReading,
  plan: WritePlan,
  annotations: Readonly<Record<string, string>>,
  now: Date,
): Record<string, ContainerBefore> {
  const entries = plan.changes.map(({ container, image }): [string, ContainerBefore] => {
    const { name, status } = container;
    const before: ContainerBefore = { image, id: shortContainerId(status), restarts: status?.restartCount ?? 0 };
    const ran = imageRun(reading, container, now);
    const imageID = shortImageID(status?.imageID);
    const version = annotations[versionKey(name)];
    const waiting = status?.state?.waiting?.reason;
    if (ran !== undefined) before.ran = ran;
    if (imageID !== undefined) before.imageID = imageID;
    if (version !== undefined) before.version = version;
    if (waiting !== undefined) before.waiting = waiting;
    return [name, before];
  });
  return Object.fromEntries(entries);
}

/** The image of the process that the status shows; undefined when that cannot be told. */
function imageRun(reading: PodReading, container: ContainerView, now: Date): string | undefined {
  if (container.status?.state?.running === undefined) return undefined;
  if (isConsistent(reading, container, now)) return container.image;
  const before = recordedBefore(reading, container);
  return before?.id === shortContainerId(container.status) ? before.ran : undefined;
}

function startsAfter({ record }: PodReading, plan: WritePlan): Record<string, StartHistory> {
  const starts: Record<string, StartHistory> = { ...record?.starts };
  for (const { container, history } of plan.changes) starts[container.name] = history;
  return starts;
}
