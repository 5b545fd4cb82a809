/** Reads off a pod where it stands and which phase is due; writes nothing. */
import type { Reason } from '../api/reasons.js';
import { findBar, findUnreported } from './bars.js';
import { hasEveryStatus, isConsistent, isContainerReady, recordedBefore, reportedBy } from './consistency.js';
import { deadlineOf, findFailure } from './failure.js';
import { isSameImage } from './image-reference.js';
import type { ContainerView, PairView, PodReading, Problem } from './pod-reading.js';
import { findStandByFailure, standByDeadline } from './stand-by.js';
import type { PodUpgradeState, UpgradePhase } from './types.js';
import { planAbort, planReset, planUpgrade, type WritePlan } from './write-plan.js';

export interface Assessment {
  state: PodUpgradeState;
  due: UpgradePhase | 'none';
  reason: Reason;
  message: string;
  container?: string | undefined;
  /** The write that is due. */
  plan?: WritePlan | undefined;
  /** Unix ms at which time alone may change the assessment. */
  reviewAt?: number | undefined;
  /** What ended the attempt, where the abort is due to a failure. */
  failure?: Problem | undefined;
}

/**
 * A hook that has returned means that the new container owns the sockets, Ready or not. It gets this long to become Ready, so that
 * a spec that goes back in that moment leads to a proper hand-over and not to a kill.
 */
const TAKEOVER_GRACE_MS = 10_000;

/** Where the pod stands and what is due. Pure in the reading and the clock. */
export function assessPod(reading: PodReading, now: Date): Assessment {
  const { problem, pod } = reading;
  if (problem !== undefined) return { state: 'Unmanaged', due: 'none', ...problem };
  const phase = pod.status?.phase;
  if (pod.metadata.deletionTimestamp !== undefined || phase === 'Succeeded' || phase === 'Failed') {
    return { state: 'Unmanaged', due: 'none', reason: 'PodTerminating', message: 'the pod is ending' };
  }
  const open = reading.pairs.filter((pair) => pair.open);
  return open.length > 0 ? assessOpen(reading, open, now) : assessClosed(reading, now);
}

function assessOpen(reading: PodReading, open: PairView[], now: Date): Assessment {
  const waiting = findUnfinished(reading, open, now);
  if (waiting === undefined) return assessMigrated(reading, now);
  const failure = findOpenFailure(reading, open, now);
  const state = failure === undefined ? 'Upgrading' : 'Failed';
  const stay: Assessment = { state, due: 'migration', ...(failure ?? waiting), failure };
  stay.reviewAt = nextReview(reading, now);
  return isStale(reading) ? assessSuperseded(reading, stay, now) : (findAbort(reading, stay, now) ?? stay);
}

/** Why the attempt is to be given up, whatever the pod is to become afterwards. */
function findAbort(reading: PodReading, stay: Assessment, now: Date): Assessment | undefined {
  const abort: Assessment = { ...stay, due: 'abort', plan: planAbort(reading, now) };
  if (reading.target.abortRequested) {
    return { ...abort, reason: 'AbortRequested', message: 'the rollout was asked to stop', failure: undefined };
  }
  const policy = reading.target.sidecarSet.spec.updateStrategy?.failurePolicy;
  const isKept = policy === undefined || policy.podAction === 'Keep';
  return stay.failure === undefined || isKept ? undefined : abort;
}

function assessMigrated(reading: PodReading, now: Date): Assessment {
  const plan = planReset(reading, now);
  const held = waitForBackOff('Migrated', 'migration', plan);
  if (held !== undefined) return held;
  const names = plan.changes.map((change) => change.container.name).join(', ');
  const message = `the new container serves; ${names} can be replaced by the empty image`;
  return { state: 'Migrated', due: 'reset', reason: 'ReadyToReset', message, plan };
}

/** The revision that this pod is starting is no longer the wanted one. */
function assessSuperseded(reading: PodReading, stay: Assessment, now: Date): Assessment {
  const plan = planUpgrade(reading, now);
  const late = findUnreported(reading, now);
  if (plan.ends && !plan.begins) {
    return late === undefined ? assessWentBack(reading, stay, plan, now) : { ...stay, ...late };
  }
  // Before anything else: whether the pod may be begun with the wanted revision is for the rollout to say (a partition, a step, a
  // pause), and may be never, while the failed container keeps the pod unready.
  const abort = findAbort(reading, stay, now);
  if (abort !== undefined) return abort;
  if (findBar(reading) !== undefined) return stay;
  if (late !== undefined) return { ...stay, ...late };
  const from = reading.stamp?.controllerRevision ?? 'an older revision';
  const message = `goes on from ${from} to the wanted revision${beside(stay.failure)}`;
  return { ...stay, due: 'upgrade', reason: 'Superseded', message, plan };
}

function assessWentBack(reading: PodReading, stay: Assessment, plan: WritePlan, now: Date): Assessment {
  if (stay.state !== 'Failed') {
    const grace = takeoverGrace(reading, now);
    if (grace !== undefined) return { ...stay, reviewAt: Math.min(grace, stay.reviewAt ?? grace) };
  }
  const message = 'the SidecarSet went back to what the old container runs';
  return { ...stay, due: 'abort', reason: 'SpecWentBack', message, plan, failure: undefined };
}

function takeoverGrace(reading: PodReading, now: Date): number | undefined {
  for (const { open, working } of reading.pairs) {
    const startedAt = Date.parse(working.status?.state?.running?.startedAt ?? '');
    if (!open || Number.isNaN(startedAt) || !isConsistent(reading, working, now)) continue;
    if (startedAt + TAKEOVER_GRACE_MS > now.getTime()) return startedAt + TAKEOVER_GRACE_MS;
  }
  return undefined;
}

function assessClosed(reading: PodReading, now: Date): Assessment {
  const settling = assessSettling(reading, now);
  if (!isStale(reading)) {
    return settling ?? { state: 'Idle', due: 'none', reason: 'UpToDate', message: 'the pod runs the wanted revision' };
  }
  const state = settling?.state ?? 'Idle';
  const bar = findBar(reading) ?? findUnreported(reading, now);
  const trouble = beside(settling?.failure);
  if (bar !== undefined) return { state, due: 'none', ...bar, message: `${bar.message}${trouble}` };
  const plan = planUpgrade(reading, now);
  const held = waitForBackOff(state, 'none', plan);
  if (held !== undefined) return held;
  const message = `runs ${reading.stamp?.controllerRevision ?? 'an older revision'} and waits to be picked${trouble}`;
  return { state, due: 'upgrade', reason: 'AwaitingSelection', message, plan };
}

/** What failed before is still to be read where another reason tells why nothing is done about it. */
const beside = (failure: Problem | undefined): string => (failure === undefined ? '' : `; ${failure.message}`);

/** No pair is open, but the kubelet is not done with an earlier write. */
function assessSettling(reading: PodReading, now: Date): Assessment | undefined {
  const changed = reading.plain.map(({ container }) => container).filter((c) => isPending(reading, c, now));
  const late = changed.length > 0 ? findOverdue(reading, now) : undefined;
  const failure = findFailure(reading, changed, now) ?? late ?? findStandByFailure(reading, now);
  if (failure !== undefined) return { state: 'Failed', due: 'none', ...failure, failure };
  const emptied = reading.pairs.find((pair) => !isConsistent(reading, pair.other, now));
  if (emptied !== undefined) {
    const message = `container ${emptied.other.name} is being replaced by the empty image`;
    const reviewAt = nextReview(reading, now, standByDeadline(reading, emptied.other));
    const { name: container } = emptied.other;
    return { state: 'Resetting', due: 'none', reason: 'EmptyImageStarting', message, container, reviewAt };
  }
  const starting = changed[0];
  if (starting === undefined) return undefined;
  const message = `container ${starting.name} with image ${starting.image} is not ready yet`;
  const reviewAt = nextReview(reading, now);
  return { state: 'Upgrading', due: 'none', reason: 'ContainerStarting', message, container: starting.name, reviewAt };
}

/** When time alone may tell more about a pod under way: its deadline, and when its kubelet must have reported. */
function nextReview(reading: PodReading, now: Date, deadline = deadlineOf(reading)): number | undefined {
  const times = [deadline ?? 0, reportedBy(reading)].filter((at) => at > now.getTime());
  return times.length === 0 ? undefined : Math.min(...times);
}

/** A plain container that was changed and is not up yet. */
function isPending(reading: PodReading, container: ContainerView, now: Date): boolean {
  if (!isConsistent(reading, container, now)) return true;
  const changedByUs = reading.record?.phase === 'Upgrading' && recordedBefore(reading, container) !== undefined;
  return changedByUs && !isContainerReady(container.status);
}

/** What an open pod still waits for; undefined once the new containers serve and nothing speaks against the reset. */
function findUnfinished(reading: PodReading, open: PairView[], now: Date): Problem | undefined {
  const started = [...open.map((pair) => pair.working), ...reading.plain.map((view) => view.container)];
  const settledPairs = reading.pairs.filter((pair) => !pair.open).map((pair) => pair.working);
  for (const container of [...started, ...settledPairs]) {
    if (!isConsistent(reading, container, now)) {
      return starting(container, `the kubelet has not put image ${container.image} on container ${container.name} yet`);
    }
  }
  const mustBeReady = new Set([...open.map((pair) => pair.working.name), ...Object.keys(reading.record?.images ?? {})]);
  const excused = new Set([...open.map((pair) => pair.other.name), ...(reading.record?.unready ?? [])]);
  for (const status of reading.pod.status?.containerStatuses ?? []) {
    if (isContainerReady(status)) continue;
    const container = started.find((view) => view.name === status.name);
    if (container !== undefined && mustBeReady.has(status.name)) {
      return starting(container, `container ${status.name} with image ${container.image} is not ready yet`);
    }
    if (excused.has(status.name) || isIdleHalf(reading, status.name)) continue;
    const message = `container ${status.name} became unready since the upgrade began`;
    return { reason: 'ContainerNotReady', message, container: status.name };
  }
  if (hasEveryStatus(reading)) return undefined;
  return { reason: 'KubeletCatchingUp', message: 'the kubelet has not reported every container yet' };
}

const starting = (container: ContainerView, message: string): Problem => ({
  reason: 'ContainerStarting',
  message,
  container: container.name,
});

const isIdleHalf = (reading: PodReading, name: string): boolean =>
  reading.pairs.some((pair) => pair.other.name === name);

function findOpenFailure(reading: PodReading, open: PairView[], now: Date): Problem | undefined {
  const containers = [...open.map((pair) => pair.working), ...reading.plain.map((view) => view.container)];
  return findFailure(reading, containers, now) ?? findOverdue(reading, now);
}

function findOverdue(reading: PodReading, now: Date): Problem | undefined {
  const deadline = deadlineOf(reading);
  if (deadline === undefined || deadline > now.getTime()) return undefined;
  const seconds = reading.target.sidecarSet.spec.updateStrategy?.progressDeadlineSeconds;
  return { reason: 'DeadlineExceeded', message: `not done ${seconds} s after it was begun` };
}

function waitForBackOff(
  state: PodUpgradeState,
  due: UpgradePhase | 'none',
  { held }: WritePlan,
): Assessment | undefined {
  const last = held.reduce<WritePlan['held'][number] | undefined>(
    (a, b) => (a && a.until > b.until ? a : b),
    undefined,
  );
  if (last === undefined) return undefined;
  const until = new Date(last.until).toISOString();
  const message = `the kubelet would hold container ${last.container} with image ${last.image} back; waits until ${until}`;
  return { state, due, reason: 'BackOffExpected', message, container: last.container, reviewAt: last.until };
}

/** The pod does not carry the wanted revision, or carries its stamp but not its images. */
export function isStale(reading: PodReading): boolean {
  return reading.stamp?.hash !== reading.target.hash || isStampedWrongly(reading);
}

/**
 * OpenKruise stamps a pod as updated without touching its images when the spec goes back while a new container fails. Only pods
 * that were changed in place, and not by Sidestep for this revision, are doubted: a mutating webhook may rewrite images for good.
 */
function isStampedWrongly({ pairs, target, record, inPlaceState }: PodReading): boolean {
  if (inPlaceState === undefined || record?.revision === target.hash) return false;
  return pairs.some(({ sidecar, working, other, open }) => {
    if (isSameImage(working.image, sidecar.image)) return false;
    return !open || isSameImage(other.image, sidecar.image);
  });
}
