/**
 * Foresees the kubelet's restart back-off.
 *
 * The kubelet keeps one entry per container and image string. Each start that follows a known earlier end of the container
 * counts: the first gives 10 s, each further one doubles it, up to 300 s; an entry dies 10 minutes after its last start, measured
 * at the container's last known end. A start is held until the entry's time has passed since that end. An image change counts
 * like a crash, except that the process it kills is not yet known as ended when the kubelet looks the first time. So the same
 * image on the same container for the third time within seconds makes a serving pod unready. (Measured on kubelet 1.34 and read
 * from its source.)
 */
import type { ContainerStatus } from '../api/kubernetes.js';
import { isDigestImage, withGeneration } from './image-reference.js';
import type { ContainerBefore, StartHistory } from './types.js';

const INITIAL_SECONDS = 10;
const MAX_SECONDS = 300;
const EXPIRY_SECONDS = 600;
/** The kubelet acts up to 2 s after the write, and starts its own clock then. */
const MARGIN_SECONDS = 3;
/** Enough for any back-off that is still alive: 300 s each within 600 s. */
const MAX_GENERATIONS = 64;

const unixSeconds = (time: Date): number => Math.floor(time.getTime() / 1_000);

/** Both in Unix seconds; `backOff` in seconds. */
const freeFrom = (ended: number, backOff: number): number => ended + backOff + MARGIN_SECONDS;

/** The history as it stands now: crashes since the last write are added, what the kubelet has forgotten is dropped. */
export function currentHistory(
  history: StartHistory | undefined,
  status: ContainerStatus | undefined,
  before: ContainerBefore | undefined,
  now: Date,
): StartHistory {
  const at = unixSeconds(now);
  const current: StartHistory = { images: {} };
  const ended = lastEnd(history?.ended, status);
  if (ended !== undefined) current.ended = ended;
  for (const [image, [backOff, last]] of Object.entries(history?.images ?? {})) {
    // The container may have ended just before the entry's death: then it is held past it.
    const isHolding = ended !== undefined && ended - last <= EXPIRY_SECONDS && freeFrom(ended, backOff) > at;
    if (at - last <= EXPIRY_SECONDS || isHolding) current.images[image] = [backOff, last];
  }
  if (before !== undefined) countCrashes(current, before, status, at);
  return current;
}

function lastEnd(known: number | undefined, status: ContainerStatus | undefined): number | undefined {
  const last = secondsOf(status?.lastState?.terminated?.finishedAt);
  const latest = Math.max(known ?? 0, last, secondsOf(status?.state?.terminated?.finishedAt));
  return latest > 0 ? latest : undefined;
}

/** Unix seconds; 0 for what is no time. */
const secondsOf = (time: string | undefined): number =>
  time === undefined ? 0 : Math.floor(Date.parse(time) / 1_000) || 0;

function countCrashes(
  current: StartHistory,
  before: ContainerBefore,
  status: ContainerStatus | undefined,
  at: number,
): void {
  // The first restart after the write is the change itself.
  const crashes = Math.min((status?.restartCount ?? 0) - before.restarts - 1, 6);
  for (let i = 0; i < crashes; i += 1) countStart(current, before.image, at);
}

function countStart(history: StartHistory, image: string, at: number): void {
  const entry = history.images[image];
  const next = entry === undefined ? INITIAL_SECONDS : Math.min(entry[0] * 2, MAX_SECONDS);
  history.images[image] = [next, at];
}

/** Unix ms from which the image can be put on the container without being held; undefined: at once. */
export function heldUntil(history: StartHistory, image: string, now: Date): number | undefined {
  const entry = history.images[image];
  if (entry === undefined || history.ended === undefined) return undefined;
  const free = freeFrom(history.ended, entry[0]) * 1_000;
  return free > now.getTime() ? free : undefined;
}

/** A reference under which the kubelet does not hold the image: the plain one, else one by digest with a tag of its own. */
export function freeReference(history: StartHistory, image: string, now: Date): string | undefined {
  if (heldUntil(history, image, now) === undefined) return image;
  if (!isDigestImage(image)) return undefined;
  for (let generation = 1; generation <= MAX_GENERATIONS; generation += 1) {
    const named = withGeneration(image, generation);
    if (heldUntil(history, named, now) === undefined) return named;
  }
  return undefined;
}

/** The history after this image was put on the container now. */
export function afterStart(history: StartHistory, image: string, now: Date): StartHistory {
  const at = unixSeconds(now);
  const after: StartHistory = { ended: at, images: { ...history.images } };
  // Without a known earlier end the kubelet makes no entry.
  if (history.ended !== undefined) countStart(after, image, at);
  return after;
}
