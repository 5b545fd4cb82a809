/** Which images, pointers and versions one write changes, for each of the three writing phases. */

import { parseVersion, readVersion, versionAltKey, versionKey } from './annotations.js';
import { afterStart, currentHistory, freeReference, heldUntil } from './back-off.js';
import { isConsistent, isContainerReady, recordedBefore } from './consistency.js';
import { isSameImage } from './image-reference.js';
import type { ContainerView, PairView, PodReading } from './pod-reading.js';
import type { StartHistory } from './types.js';

export interface ImageChange {
  container: ContainerView;
  image: string;
  /** The container's start history after this change. */
  history: StartHistory;
}

export interface Held {
  container: string;
  image: string;
  /** Unix ms from which the kubelet would no longer hold it. */
  until: number;
}

export interface WritePlan {
  changes: ImageChange[];
  /** Hot sidecar to the container that works from now on. */
  pointers: Record<string, string>;
  /** Version annotations to set. */
  versions: Record<string, string>;
  /** The changes that the kubelet would hold back. */
  held: Held[];
  /** The highest version this plan gives out. */
  version: bigint;
  /** Some pair is begun, or given another new image. */
  begins: boolean;
  /** Some pair goes back to its old container, or is finished because the new one took over already. */
  ends: boolean;
}

/** Takes every container to what the target says: begins idle pairs, redirects open ones, ends those that are to go back. */
export function planUpgrade(reading: PodReading, now: Date): WritePlan {
  const plan = emptyPlan(reading);
  for (const pair of reading.pairs) planPair(plan, reading, pair, now);
  for (const { sidecar, container } of reading.plain) {
    if (!isSameImage(container.image, sidecar.image)) change(plan, reading, container, sidecar.image, now);
  }
  return plan;
}

function planPair(plan: WritePlan, reading: PodReading, pair: PairView, now: Date): void {
  const { sidecar, working, other, open } = pair;
  if (isSameImage(working.image, sidecar.image)) {
    if (!open && !isSameImage(other.image, sidecar.emptyImage)) change(plan, reading, other, sidecar.emptyImage, now);
    return;
  }
  if (!open) begin(plan, reading, pair, now);
  else if (isSameImage(other.image, sidecar.image)) endPair(plan, reading, pair, now);
  // The new container serves already, and only something else keeps the pod from its reset: the next one takes the old one's place.
  else if (hasTakenOver(reading, pair, now)) begin(plan, reading, pair, now);
  else redirect(plan, reading, pair, now);
}

/** Replaces the old container of every open pair by the empty image. */
export function planReset(reading: PodReading, now: Date): WritePlan {
  const plan = emptyPlan(reading);
  for (const pair of reading.pairs) if (pair.open) resetPair(plan, reading, pair, now);
  return plan;
}

/**
 * Takes the pod back to what it ran before this attempt. A pair whose new container has already taken over is finished instead:
 * its old container gave its sockets away, and waking it would leave the pod without a listener.
 */
export function planAbort(reading: PodReading, now: Date): WritePlan {
  const plan = emptyPlan(reading);
  for (const pair of reading.pairs) if (pair.open) endPair(plan, reading, pair, now);
  const before = reading.record?.images ?? {};
  for (const { container } of reading.plain) {
    const image = Object.hasOwn(before, container.name) ? before[container.name] : undefined;
    if (image !== undefined && !isSameImage(image, container.image)) change(plan, reading, container, image, now);
  }
  return plan;
}

function emptyPlan({ record }: PodReading): WritePlan {
  const version = parseVersion(record?.version);
  return { changes: [], pointers: {}, versions: {}, held: [], version, begins: false, ends: false };
}

function begin(plan: WritePlan, reading: PodReading, { sidecar, working, other }: PairView, now: Date): void {
  const workingVersion = readVersion(reading.annotations, working.name);
  const version = nextVersion(plan, reading, workingVersion);
  change(plan, reading, other, sidecar.image, now);
  plan.begins = true;
  plan.pointers[sidecar.name] = other.name;
  plan.versions[versionKey(other.name)] = version;
  plan.versions[versionAltKey(other.name)] = workingVersion.toString();
  plan.versions[versionAltKey(working.name)] = version;
}

function redirect(plan: WritePlan, reading: PodReading, { sidecar, working, other }: PairView, now: Date): void {
  const version = nextVersion(plan, reading, readVersion(reading.annotations, working.name));
  change(plan, reading, working, sidecar.image, now);
  plan.begins = true;
  plan.pointers[sidecar.name] = working.name;
  plan.versions[versionKey(working.name)] = version;
  plan.versions[versionAltKey(working.name)] = readVersion(reading.annotations, other.name).toString();
  plan.versions[versionAltKey(other.name)] = version;
}

function endPair(plan: WritePlan, reading: PodReading, pair: PairView, now: Date): void {
  plan.ends = true;
  if (hasTakenOver(reading, pair, now)) resetPair(plan, reading, pair, now);
  else abortPair(plan, reading, pair, now);
}

function abortPair(plan: WritePlan, reading: PodReading, { sidecar, working, other }: PairView, now: Date): void {
  change(plan, reading, working, sidecar.emptyImage, now);
  plan.pointers[sidecar.name] = other.name;
  plan.versions[versionKey(working.name)] = '0';
  plan.versions[versionAltKey(other.name)] = '0';
}

function resetPair(plan: WritePlan, reading: PodReading, { sidecar, working, other }: PairView, now: Date): void {
  change(plan, reading, other, sidecar.emptyImage, now);
  plan.versions[versionKey(other.name)] = '0';
  plan.versions[versionAltKey(working.name)] = '0';
}

/** The new container is done starting and Ready: its hook has returned, so it owns the sockets. */
export function hasTakenOver(reading: PodReading, { working }: PairView, now: Date): boolean {
  return isContainerReady(working.status) && isConsistent(reading, working, now);
}

/**
 * OpenKruise takes the SidecarSet's resourceVersion, which goes down when etcd is restored. A sidecar compares versions to learn
 * which of two is the newer, so here they only ever rise.
 */
function nextVersion(plan: WritePlan, { target, record }: PodReading, working: bigint): string {
  const given = parseVersion(record?.version);
  let version = parseVersion(target.sidecarSet.metadata.resourceVersion);
  if (version <= working) version = working + 1n;
  if (given > 0n && version <= given) version = given + 1n;
  if (version > plan.version) plan.version = version;
  return version.toString();
}

function change(plan: WritePlan, reading: PodReading, container: ContainerView, image: string, now: Date): void {
  const { status, name } = container;
  const history = currentHistory(reading.record?.starts?.[name], status, recordedBefore(reading, container), now);
  const free = freeReference(history, image, now);
  if (free === undefined) plan.held.push({ container: name, image, until: heldUntil(history, image, now) ?? 0 });
  const reference = free ?? image;
  plan.changes.push({ container, image: reference, history: afterStart(history, reference, now) });
}
