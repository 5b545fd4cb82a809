/** One look at a pod through the eyes of one SidecarSet: its containers, what it is stamped with, and whether it can be read. */
import { KRUISE } from '../api/keys.js';
import type { Container, ContainerStatus, Pod } from '../api/kubernetes.js';
import type { Reason } from '../api/reasons.js';
import {
  type HashEntry,
  type InPlaceState,
  isInInjectedList,
  parseObject,
  readHashEntry,
  readInPlaceState,
  readVersion,
  readWorkingContainers,
} from './annotations.js';
import { isSameImage } from './image-reference.js';
import type { HotSidecar, PlainSidecar, UpgradeRecord, UpgradeTarget } from './types.js';
import { readUpgradeRecord } from './upgrade-record.js';

/** A container of the pod with its status. */
export interface ContainerView {
  name: string;
  image: string;
  /** Where it stands in the pod's spec, for patches. */
  path: string;
  status: ContainerStatus | undefined;
  /** The version annotation of a hot container; absent for others. */
  version: string | undefined;
}

/** A hot pair: `working` is the one the pointer names, `other` its peer. */
export interface PairView {
  sidecar: HotSidecar;
  working: ContainerView;
  other: ContainerView;
  /** The peer still has (or has again) a real image: an upgrade of this pair is under way. */
  open: boolean;
}

export interface PlainView {
  sidecar: PlainSidecar;
  container: ContainerView;
}

export interface Problem {
  reason: Reason;
  message: string;
  container?: string;
}

export interface PodReading {
  pod: Pod;
  target: UpgradeTarget;
  annotations: Readonly<Record<string, string>>;
  /** Why the pod cannot be managed; the pairs and plain containers are then incomplete. */
  problem: Problem | undefined;
  stamp: HashEntry | undefined;
  stampWithoutImage: HashEntry | undefined;
  inPlaceState: InPlaceState | undefined;
  record: UpgradeRecord | undefined;
  pairs: PairView[];
  plain: PlainView[];
}

/** Reads a pod; never throws. */
export function readPod(target: UpgradeTarget, pod: Pod): PodReading {
  const annotations = pod.metadata.annotations ?? {};
  const stamp = readHashEntry(annotations[KRUISE.hash], target.name);
  const stampWithoutImage = readHashEntry(annotations[KRUISE.hashWithoutImage], target.name);
  const inPlaceState = readInPlaceState(annotations[KRUISE.inPlaceUpdateState], target.name);
  const reading: PodReading = {
    pod,
    target,
    annotations,
    problem: undefined,
    stamp: stamp ?? undefined,
    stampWithoutImage: stampWithoutImage ?? undefined,
    inPlaceState: inPlaceState ?? undefined,
    record: readUpgradeRecord(annotations, target.name),
    pairs: [],
    plain: [],
  };
  reading.problem =
    notInjected(reading) ??
    malformed(KRUISE.hash, stamp) ??
    malformed(KRUISE.hashWithoutImage, stampWithoutImage) ??
    malformed(KRUISE.inPlaceUpdateState, inPlaceState) ??
    readPlain(reading) ??
    readPairs(reading);
  return reading;
}

/** Reasons of pods that carry a SidecarSet and cannot be managed: nothing happens to them until somebody mends or recreates them. */
export const UNMANAGEABLE: readonly Reason[] = [
  'ContainerMissing',
  'HotContainerMissing',
  'WorkingPointerMissing',
  'BothContainersEmpty',
  'WorkingContainerEmpty',
  'AnnotationMalformed',
];

/** The pod counts as one of the set's: OpenKruise drops pods that lack a container from every counter. */
export function hasAllContainers({ problem }: PodReading): boolean {
  if (problem === undefined) return true;
  return !['NotInjected', 'ContainerMissing', 'HotContainerMissing', 'WorkingPointerMissing'].includes(problem.reason);
}

function notInjected({ annotations, target }: PodReading): Problem | undefined {
  const list = annotations[KRUISE.injectedList];
  // Pods from before the list existed carry the hash alone.
  const injected = list === undefined || list === '' ? KRUISE.hash in annotations : isInInjectedList(list, target.name);
  if (injected) return undefined;
  return { reason: 'NotInjected', message: `the pod was not injected with SidecarSet ${target.name}` };
}

function malformed(key: string, value: unknown): Problem | undefined {
  if (value !== null) return undefined;
  return { reason: 'AnnotationMalformed', message: `annotation ${key} cannot be parsed` };
}

function readPlain(reading: PodReading): Problem | undefined {
  for (const sidecar of reading.target.plain) {
    const container = viewOf(reading.pod, sidecar.name, sidecar.native);
    if (container === undefined) {
      const message = `container ${sidecar.name} is missing from the pod`;
      return { reason: 'ContainerMissing', message, container: sidecar.name };
    }
    reading.plain.push({ sidecar, container });
  }
  return undefined;
}

function readPairs(reading: PodReading): Problem | undefined {
  if (reading.target.hot.length === 0) return undefined;
  if (parseObject(reading.annotations[KRUISE.workingHotContainer]) === null)
    return malformed(KRUISE.workingHotContainer, null);
  const working = readWorkingContainers(reading.annotations);
  for (const sidecar of reading.target.hot) {
    const [first, second] = sidecar.pair.map((name) => viewOf(reading.pod, name, false, reading.annotations));
    if (first === undefined || second === undefined) {
      const missing = first === undefined ? sidecar.pair[0] : sidecar.pair[1];
      const message = `container ${missing} is missing from the pod`;
      return { reason: 'HotContainerMissing', message, container: missing };
    }
    const pointer = Object.hasOwn(working, sidecar.name) ? working[sidecar.name] : undefined;
    if (pointer !== first.name && pointer !== second.name) return lostPointer(sidecar, pointer);
    const pair = pointer === first.name ? [first, second] : [second, first];
    const view = pairView(sidecar, pair[0] as ContainerView, pair[1] as ContainerView, reading.annotations);
    const problem = emptyProblem(view);
    if (problem !== undefined) return problem;
    reading.pairs.push(view);
  }
  return undefined;
}

function lostPointer({ name }: HotSidecar, pointer: string | undefined): Problem {
  const says = pointer === undefined ? 'does not name it' : `names ${pointer}`;
  const message = `annotation ${KRUISE.workingHotContainer} ${says} for ${name}`;
  return { reason: 'WorkingPointerMissing', message, container: name };
}

function pairView(
  sidecar: HotSidecar,
  working: ContainerView,
  other: ContainerView,
  annotations: Readonly<Record<string, string>>,
): PairView {
  // Version 0 is written for the emptied container alone. It tells an old empty image from an old version after
  // hotUpgradeEmptyImage was edited; going by the image alone would empty every pod's stand-by at once.
  const isEmptied = () => other.version !== undefined && readVersion(annotations, other.name) === 0n;
  const isForeign = () => !isSameImage(other.image, sidecar.image) && !isSameImage(other.image, working.image);
  const open = !isSameImage(other.image, sidecar.emptyImage) && !(isEmptied() && isForeign());
  return { sidecar, working, other, open };
}

function emptyProblem({ sidecar, working, other }: PairView): Problem | undefined {
  if (!isSameImage(working.image, sidecar.emptyImage)) return undefined;
  if (!isSameImage(other.image, sidecar.emptyImage)) {
    const message = `${working.name} is to work but runs the empty image`;
    return { reason: 'WorkingContainerEmpty', message, container: working.name };
  }
  const message = `${working.name} and ${other.name} both run the empty image`;
  return { reason: 'BothContainersEmpty', message, container: working.name };
}

function viewOf(
  pod: Pod,
  name: string,
  native: boolean,
  annotations?: Readonly<Record<string, string>>,
): ContainerView | undefined {
  const field = native ? 'initContainers' : 'containers';
  const containers: Container[] = pod.spec[field] ?? [];
  const index = containers.findIndex((container) => container.name === name);
  const container = containers[index];
  if (container === undefined) return undefined;
  const statuses = native ? pod.status?.initContainerStatuses : pod.status?.containerStatuses;
  return {
    name,
    image: container.image ?? '',
    path: `/spec/${field}/${index}/image`,
    status: statuses?.find((status) => status.name === name),
    version: annotations?.[`${KRUISE.versionPrefix}${name}`],
  };
}
