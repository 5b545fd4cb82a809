import { KRUISE } from '../api/keys.js';
import type { Pod } from '../api/kubernetes.js';
import { matchesSelector } from '../api/selectors.js';
import { type Assessment, assessPod, isStale } from '../pod-upgrade/assess-pod.js';
import { NOT_SELECTED } from '../pod-upgrade/bars.js';
import { hasEveryStatus, isConsistent } from '../pod-upgrade/consistency.js';
import { hasAllContainers, type PodReading, readPod, UNMANAGEABLE } from '../pod-upgrade/pod-reading.js';
import type { ProjectedPod, UpgradeTarget } from '../pod-upgrade/types.js';
import { upgradableConditionPatch } from '../pod-upgrade/upgradable-condition.js';
import { nextAttempt } from '../pod-upgrade/write-record.js';
import { orderKey } from './pod-order.js';
import type { PodSummary } from './types.js';
import { findUnwell } from './unwell.js';

/** What pods are summarised against. */
export interface SummaryContext {
  target: UpgradeTarget;
  /** `kruise.io/sidecarset-hash` of the spec; differs from the target's after a rollback. */
  specHash: string;
  /** Labels of a namespace, for `spec.namespaceSelector`; undefined when the namespace is not known. */
  namespaceLabels?: (namespace: string) => Readonly<Record<string, string>> | undefined;
}

/** What a summary says of the pod alone, and its order among others; the same whatever its SidecarSet becomes. */
export type KnownOfPod = Pick<PodSummary, 'key' | 'order'>;

/**
 * One pod as the rollout of one SidecarSet sees it. Recompute when either changes, or when `reviewAt` has come.
 *
 * @param known of this very version of the pod under the same priorities
 */
export function summarizePod(
  context: SummaryContext,
  pod: ProjectedPod | Pod,
  now: Date,
  known: KnownOfPod = knownOf(context, pod),
): PodSummary {
  const { target, specHash } = context;
  const reading = readPod(target, pod);
  const isSelected = isChosen(context, reading);
  const assessment = isSelected ? assessPod(reading, now) : neverBegun(assessPod(reading, now));
  const { metadata, spec } = pod;
  const hash = reading.stamp?.hash;
  const onTarget = hash === target.hash && !isStale(reading) && reading.problem === undefined;
  const podReady = isPodReady(reading);
  const ready = podReady && isPodConsistent(reading, now);
  const inFlight = reading.pairs.some((pair) => pair.open) || (wasChanged(reading) && isUnderWay(assessment));
  const goodAt = onTarget && ready && !inFlight ? goodTime(reading) : Number.POSITIVE_INFINITY;
  const failed = assessment.reason === 'FailedBefore' || (assessment.state === 'Failed' && hash === target.hash);
  const matched = isActive(reading) && isSelected && hasAllContainers(reading);
  const isUnmanageable = assessment.state === 'Unmanaged' && UNMANAGEABLE.includes(assessment.reason);
  const isSettled = onTarget && assessment.reason === 'UpToDate';
  const unwell = isSettled && goodAt > now.getTime() ? findUnwell(reading, ready, goodAt) : undefined;
  const notUpgradable = assessment.reason === 'UpdateImmutableField';
  return {
    key: known.key,
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    node: spec.nodeName ?? '',
    labels: metadata.labels ?? {},
    matched,
    apart: !matched && isActive(reading) && (isSelected ? isUnmanageable : inFlight),
    updated: hash === specHash,
    onTarget,
    ready,
    podReady,
    state: assessment.state,
    due: assessment.due,
    attempt: assessment.due === 'upgrade' ? nextAttempt(reading) : (reading.record?.attempt ?? 1),
    reason: (unwell ?? assessment).reason,
    message: (unwell ?? assessment).message,
    container: (unwell ?? assessment).container,
    inFlight,
    candidate: assessment.due === 'upgrade',
    notUpgradable,
    failed,
    failedEarlier: assessment.state === 'Failed' && !failed,
    good: goodAt <= now.getTime(),
    goodAt,
    reviewAt: nextReview(assessment.reviewAt, goodAt, now),
    order: known.order,
    controllerRevision: reading.stamp?.controllerRevision,
    conditionPatch: notUpgradable ? upgradableConditionPatch(pod, target.name, false, now) : undefined,
  };
}

const knownOf = ({ target }: SummaryContext, pod: ProjectedPod | Pod): KnownOfPod => ({
  key: podKey(pod),
  order: orderKey(pod, target.sidecarSet.spec.updateStrategy),
});

/** `namespace/name` */
export const podKey = ({ metadata }: ProjectedPod | Pod): string =>
  `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

/** An image change that is not done; one of a pair that is open is told by its images. */
const isUnderWay = ({ state }: Assessment): boolean => ['Resetting', 'Upgrading', 'Failed'].includes(state);

/** A pod that nobody has changed in place waits for its kubelet because it is new. */
const wasChanged = ({ record, inPlaceState }: PodReading): boolean =>
  record !== undefined || inPlaceState !== undefined;

function isActive({ pod: { metadata, status } }: PodReading): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

/** By both selectors of the SidecarSet. */
function isChosen({ target, namespaceLabels }: SummaryContext, { pod: { metadata } }: PodReading): boolean {
  const { selector, namespaceSelector } = target.sidecarSet.spec;
  if (!matchesSelector(selector, metadata.labels)) return false;
  const namespace = metadata.namespace ?? '';
  return namespaceSelector === undefined || matchesSelector(namespaceSelector, namespaceLabels?.(namespace) ?? {});
}

/** What is under way comes to its end; nothing new is begun. */
const neverBegun = (assessment: Assessment): Assessment =>
  assessment.due === 'upgrade' ? { ...assessment, ...NOT_SELECTED, due: 'none' } : assessment;

/** OpenKruise's IsPodReady: no hot pair open, Running, and condition Ready. */
export function isPodReady({ pod, pairs }: PodReading): boolean {
  if (pairs.some((pair) => pair.open)) return false;
  const ready = pod.status?.conditions?.find((condition) => condition.type === 'Ready');
  return pod.status?.phase === 'Running' && ready?.status === 'True' && pod.metadata.deletionTimestamp === undefined;
}

function isPodConsistent(reading: PodReading, now: Date): boolean {
  const containers = [
    ...reading.pairs.flatMap((pair) => [pair.working, pair.other]),
    ...reading.plain.map((view) => view.container),
  ];
  return hasEveryStatus(reading) && containers.every((container) => isConsistent(reading, container, now));
}

/** Ready alone does not tell: without a readiness probe it never drops in an image change. */
function goodTime({ pod, record, stamp, target, annotations }: PodReading): number {
  const seconds = target.sidecarSet.spec.updateStrategy?.minReadySeconds ?? 0;
  if (seconds <= 0) return 0;
  const ready = pod.status?.conditions?.find((condition) => condition.type === 'Ready');
  const changed = record?.since ?? (KRUISE.inPlaceUpdateState in annotations ? stamp?.updateTimestamp : undefined);
  const times = [ready?.lastTransitionTime, changed]
    .map((time) => Date.parse(time ?? ''))
    .filter((ms) => !Number.isNaN(ms));
  return Math.max(0, ...times) + seconds * 1_000;
}

function nextReview(reviewAt: number | undefined, goodAt: number, now: Date): number {
  const future = [reviewAt ?? Number.POSITIVE_INFINITY, goodAt].filter((at) => at > now.getTime());
  return Math.min(Number.POSITIVE_INFINITY, ...future);
}
