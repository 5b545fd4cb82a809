/** The annotations of each write: OpenKruise's to the byte, and Sidestep's own record beside them. */
import { isNativeSidecar } from '../api/container-kinds.js';
import { KRUISE, SIDESTEP } from '../api/keys.js';
import { patchPodAnnotations } from '../injection/pod-metadata.js';
import { toTimestamp, withHashEntry, withInPlaceState, withWorkingContainers } from './annotations.js';
import type { Assessment } from './assess-pod.js';
import { isSameImage, withoutGeneration } from './image-reference.js';
import type { PodReading } from './pod-reading.js';
import type { UpgradeTarget } from './types.js';
import { isUpgradable } from './upgradable.js';
import { withUpgradeRecord } from './upgrade-record.js';
import { hashWithImages } from './upgrade-target.js';
import type { WritePlan } from './write-plan.js';
import { recordAfter } from './write-record.js';

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
  // The images alone went back where something else was edited, too, that no running pod can take on.
  if (reason === 'SpecWentBack' && isUpgradable(reading)) {
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

/**
 * The wanted SidecarSet's hash with the images that the pod is left with. Where more than images differs the spec that the pod
 * runs is not known: then a hash that no revision has, so that the pod is never taken for one that runs the wanted one.
 */
function hashAfter(reading: PodReading, plan: WritePlan): string {
  const mark = isUpgradable(reading) ? '' : `@${reading.stampWithoutImage?.hash ?? 'unknown'}`;
  const images = [...imagesAfter(reading, plan)].map(
    ([name, image]) => [name, `${withoutGeneration(image)}${mark}`] as const,
  );
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
