/** The annotations of each write: OpenKruise's to the byte, and Sidestep's own record beside them. */
import { isNativeSidecar } from '../api/container-kinds.js';
import { KRUISE, SIDESTEP } from '../api/keys.js';
import { patchPodAnnotations } from '../injection/pod-metadata.js';
import { toTimestamp, versionKey, withHashEntry, withInPlaceState, withWorkingContainers } from './annotations.js';
import type { Assessment } from './assess-pod.js';
import { isContainerReady } from './consistency.js';
import { isSameImage, withoutGeneration } from './image-reference.js';
import type { PodReading } from './pod-reading.js';
import type { ContainerBefore, StartHistory, UpgradeRecord, UpgradeTarget } from './types.js';
import { shortContainerId, shortImageID, withUpgradeRecord } from './upgrade-record.js';
import { hashWithImages } from './upgrade-target.js';
import type { WritePlan } from './write-plan.js';

type Annotations = Record<string, string>;

/**
 * The pod's annotations after the assessed write.
 *
 * @throws {InjectionRefused} when `patchPodMetadata` merges into an annotation that is no JSON
 */
export function annotationsAfter(reading: PodReading, assessment: Assessment, plan: WritePlan, now: Date): Annotations {
  const annotations: Annotations = { ...reading.annotations };
  const { target } = reading;
  writePointers(annotations, plan);
  Object.assign(annotations, plan.versions);
  if (assessment.due === 'upgrade') stampTarget(annotations, reading, plan, now);
  if (assessment.due === 'abort') stampAbort(annotations, reading, assessment, plan, now);
  writeInPlaceState(annotations, reading, plan, now);
  if (assessment.due === 'upgrade') {
    if (!annotations[KRUISE.injectedList]) annotations[KRUISE.injectedList] = target.name;
    patchPodAnnotations(annotations, target.sidecarSet.spec.patchPodMetadata ?? []);
  }
  const record = recordAfter(reading, assessment, plan, annotations, now);
  annotations[SIDESTEP.upgrade] = withUpgradeRecord(annotations[SIDESTEP.upgrade], target.name, record);
  return annotations;
}

function writePointers(annotations: Annotations, { pointers }: WritePlan): void {
  if (Object.keys(pointers).length === 0) return;
  annotations[KRUISE.workingHotContainer] = withWorkingContainers(annotations[KRUISE.workingHotContainer], pointers);
}

function stampTarget(annotations: Annotations, reading: PodReading, plan: WritePlan, now: Date): void {
  const { target, stampWithoutImage } = reading;
  const { hash, controllerRevision, hashWithoutImage } = target;
  if (runsTargetAfter(reading, plan)) stamp(annotations, KRUISE.hash, target, hash, controllerRevision, now);
  else stamp(annotations, KRUISE.hash, target, hashAfter(reading, plan), undefined, now);
  // OpenKruise leaves this one alone, since it upgrades only pods where it is equal.
  if (stampWithoutImage?.hash !== hashWithoutImage) {
    stamp(annotations, KRUISE.hashWithoutImage, target, hashWithoutImage, undefined, now);
  }
}

/** The revision that the pod is back on: the wanted one when the spec went back to it, else the one before this attempt. */
function stampAbort(
  annotations: Annotations,
  reading: PodReading,
  { reason }: Assessment,
  plan: WritePlan,
  now: Date,
): void {
  if (reason === 'SpecWentBack') {
    stampTarget(annotations, reading, plan, now);
    return;
  }
  const { target, record, stampWithoutImage, pairs } = reading;
  // A pair that took over before another one failed stays on the new image, and then no revision is what the pod runs.
  const isWhole = pairs.every((pair) => !pair.open || plan.pointers[pair.sidecar.name] === pair.other.name);
  const before = isWhole && record?.revision === reading.stamp?.hash ? record : undefined;
  stamp(annotations, KRUISE.hash, target, before?.fromHash ?? hashAfter(reading, plan), before?.from, now);
  const withoutImage = before?.fromHashWithoutImage;
  if (withoutImage !== undefined && withoutImage !== stampWithoutImage?.hash) {
    stamp(annotations, KRUISE.hashWithoutImage, target, withoutImage, undefined, now);
  }
}

/** The image that each sidecar of the set works with after the plan. */
function imagesAfter({ pairs, plain }: PodReading, plan: WritePlan): Map<string, string> {
  const changed = new Map(plan.changes.map(({ container, image }) => [container.name, image]));
  const images = new Map<string, string>();
  for (const { sidecar, container } of plain) images.set(sidecar.name, changed.get(container.name) ?? container.image);
  for (const { sidecar, working, other } of pairs) {
    const next = plan.pointers[sidecar.name] === other.name ? other : working;
    images.set(sidecar.name, changed.get(next.name) ?? next.image);
  }
  return images;
}

function runsTargetAfter(reading: PodReading, plan: WritePlan): boolean {
  const images = imagesAfter(reading, plan);
  const { hot, plain } = reading.target;
  return [...hot, ...plain].every((sidecar) => isSameImage(images.get(sidecar.name) ?? '', sidecar.image));
}

/** The wanted SidecarSet's hash with the images that the pod is left with; nothing else may differ. */
function hashAfter(reading: PodReading, plan: WritePlan): string {
  const images = [...imagesAfter(reading, plan)].map(([name, image]) => [name, withoutGeneration(image)] as const);
  return hashWithImages(reading.target.sidecarSet, new Map(images));
}

function stamp(
  annotations: Annotations,
  key: string,
  target: UpgradeTarget,
  hash: string,
  controllerRevision: string | undefined,
  now: Date,
): void {
  annotations[key] = withHashEntry(annotations[key], target.name, {
    updateTimestamp: toTimestamp(now),
    hash,
    sidecarSetName: target.name,
    sidecarList: sidecarList(target),
    ...(controllerRevision === undefined ? {} : { controllerRevision }),
  });
}

function sidecarList({ sidecarSet }: UpgradeTarget): string[] {
  const { containers = [], initContainers = [] } = sidecarSet.spec;
  return [...containers, ...initContainers.filter(isNativeSidecar)].map((container) => container.name).sort();
}

function writeInPlaceState(annotations: Annotations, reading: PodReading, plan: WritePlan, now: Date): void {
  const { target, inPlaceState } = reading;
  const lastContainerStatuses = { ...inPlaceState?.lastContainerStatuses };
  for (const { container } of plan.changes) {
    const imageID = container.status?.imageID;
    lastContainerStatuses[container.name] = imageID === undefined || imageID === '' ? {} : { imageID };
  }
  // OpenKruise never refreshes the revision and the time of the first change.
  annotations[KRUISE.inPlaceUpdateState] = withInPlaceState(annotations[KRUISE.inPlaceUpdateState], target.name, {
    revision: inPlaceState?.revision ?? target.hash,
    updateTimestamp: inPlaceState?.updateTimestamp ?? toTimestamp(now),
    lastContainerStatuses,
  });
}

function recordAfter(
  reading: PodReading,
  assessment: Assessment,
  plan: WritePlan,
  annotations: Annotations,
  now: Date,
): UpgradeRecord {
  const record: UpgradeRecord = { ...headOf(reading, assessment, plan, now) };
  if (plan.version > 0n) record.version = plan.version.toString();
  const containers = { ...keptContainers(reading), ...changedContainers(plan, annotations) };
  if (Object.keys(containers).length > 0) record.containers = containers;
  const starts = startsAfter(reading, plan);
  if (Object.keys(starts).length > 0) record.starts = starts;
  return record;
}

function headOf(reading: PodReading, assessment: Assessment, plan: WritePlan, now: Date): UpgradeRecord {
  const since = now.toISOString();
  if (assessment.due === 'upgrade') return headOfUpgrade(reading, plan, since);
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

function headOfUpgrade(reading: PodReading, plan: WritePlan, since: string): UpgradeRecord {
  const { record, target, stamp: stamped, stampWithoutImage, pairs } = reading;
  const head: UpgradeRecord = {
    phase: 'Upgrading',
    revision: target.hash,
    attempt: nextAttempt(reading),
    since,
    begun: since,
  };
  if (target.controllerRevision !== undefined) head.to = target.controllerRevision;
  if (target.retryToken !== undefined) head.retry = target.retryToken;
  // A pod that is redirected half way still has its old container, and goes back to that one's revision if it must.
  const redirected = pairs.some((pair) => pair.open);
  const from = redirected ? record?.from : stamped?.controllerRevision;
  const fromHash = redirected ? record?.fromHash : stamped?.hash;
  const fromHashWithoutImage = redirected ? record?.fromHashWithoutImage : stampWithoutImage?.hash;
  if (from !== undefined) head.from = from;
  if (fromHash !== undefined) head.fromHash = fromHash;
  if (fromHashWithoutImage !== undefined && fromHashWithoutImage !== target.hashWithoutImage) {
    head.fromHashWithoutImage = fromHashWithoutImage;
  }
  const unready = redirected ? record?.unready : unreadyContainers(reading, plan);
  if (unready !== undefined && unready.length > 0) head.unready = unready;
  const images = { ...oldPlainImages(reading, plan), ...(redirected ? record?.images : {}) };
  if (Object.keys(images).length > 0) head.images = images;
  return head;
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

function changedContainers(plan: WritePlan, annotations: Annotations): Record<string, ContainerBefore> {
  const entries = plan.changes.map(({ container, image }): [string, ContainerBefore] => {
    const { name, status } = container;
    const before: ContainerBefore = { image, id: shortContainerId(status), restarts: status?.restartCount ?? 0 };
    const imageID = shortImageID(status?.imageID);
    const version = annotations[versionKey(name)];
    const waiting = status?.state?.waiting?.reason;
    if (imageID !== undefined) before.imageID = imageID;
    if (version !== undefined) before.version = version;
    if (waiting !== undefined) before.waiting = waiting;
    return [name, before];
  });
  return Object.fromEntries(entries);
}

function startsAfter({ record }: PodReading, plan: WritePlan): Record<string, StartHistory> {
  const starts: Record<string, StartHistory> = { ...record?.starts };
  for (const { container, history } of plan.changes) starts[container.name] = history;
  return starts;
}
