/** What is wrong with a container that was emptied: the pod serves by its working one, but is not ready, and not done. */
import { isConsistent, recordedBefore, STATUS_LAG_MS, showsImage } from './consistency.js';
import { containerFailure, isSettled, troubleOf } from './failure.js';
import type { ContainerView, PodReading, Problem } from './pod-reading.js';

/**
 * A kubelet holds a container back for 300 s at most, counted from its last end. So long a stand-by that waits in
 * CrashLoopBackOff is no failure: it goes on by itself.
 */
const LONGEST_BACK_OFF_MS = 330_000;

/** The first stand-by that cannot start; undefined where nobody but the kubelet is waited for. No pair of the pod is open. */
export function findStandByFailure(reading: PodReading, now: Date): Problem | undefined {
  // The stand-by of a pod that was only ever injected is no upgrade's.
  if (reading.record === undefined && reading.inPlaceState === undefined) return undefined;
  for (const { other } of reading.pairs) {
    const failure = standByFailure(reading, other, now) ?? overdue(reading, other, now);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function standByFailure(reading: PodReading, standBy: ContainerView, now: Date): Problem | undefined {
  const failure = containerFailure(reading, standBy, now);
  if (failure === undefined || isSettled(reading, standBy, now)) return undefined;
  if (now.getTime() >= emptiedAt(reading, standBy) + LONGEST_BACK_OFF_MS) return failure;
  // What an aborted container shows may be the trouble that it was aborted for, reported late.
  if (isAborted(reading)) return undefined;
  const startsAgain = failure.reason === 'CrashLoop' || failure.reason === 'PostStartHookFailed';
  return startsAgain && !hasEndedAgain(reading, standBy) ? undefined : failure;
}

const isAborted = ({ record }: PodReading): boolean => record?.phase === 'Aborted' || record?.phase === 'Failed';

/** The empty image itself keeps ending: the first restart after the write was the change, and one more may happen to anything. */
function hasEndedAgain(reading: PodReading, standBy: ContainerView): boolean {
  const { status, image } = standBy;
  const before = recordedBefore(reading, standBy);
  if (before === undefined || status === undefined || !showsImage(image, status)) return false;
  return (status.restartCount ?? 0) - before.restarts > 2;
}

/** Unix ms of the write that emptied it, or of the end of what ran in it, which may have drained for long. */
function emptiedAt({ record }: PodReading, { status }: ContainerView): number {
  const ended = status?.lastState?.terminated?.finishedAt ?? status?.state?.terminated?.finishedAt;
  const times = [record?.since, ended].map((time) => Date.parse(time ?? ''));
  return Math.max(0, ...times.filter((ms) => !Number.isNaN(ms)));
}

/**
 * Unix ms at which an emptied container that does not start has failed by time; undefined while the old one still runs, which
 * its grace period ends, and after an abort. `progressDeadlineSeconds` counts anew from the Reset: the pod may have waited long for the
 * kubelet's back-off before that.
 */
export function standByDeadline(reading: PodReading, standBy: ContainerView): number | undefined {
  const { target, record } = reading;
  const seconds = target.sidecarSet.spec.updateStrategy?.progressDeadlineSeconds;
  if (typeof seconds !== 'number' || record?.phase !== 'Resetting') return undefined;
  const state = standBy.status?.state;
  if (state?.running !== undefined) return undefined;
  const isHeld = troubleOf(state?.waiting?.reason) === 'CrashLoop';
  return emptiedAt(reading, standBy) + Math.max(seconds * 1_000, isHeld ? LONGEST_BACK_OFF_MS : STATUS_LAG_MS);
}

function overdue(reading: PodReading, standBy: ContainerView, now: Date): Problem | undefined {
  if (isConsistent(reading, standBy, now)) return undefined;
  const deadline = standByDeadline(reading, standBy);
  if (deadline === undefined || deadline > now.getTime()) return undefined;
  const { name: container, image } = standBy;
  const seconds = Math.round((now.getTime() - emptiedAt(reading, standBy)) / 1_000);
  return {
    reason: 'DeadlineExceeded',
    message: `container ${container} does not run the empty image ${image} ${seconds} s after it was emptied`,
    container,
  };
}
