import { SIDESTEP } from '../api/keys.js';
import type { ContainerStatus } from '../api/kubernetes.js';
import { parseNew, withEntry } from './annotations.js';
import type { ContainerBefore, StartHistory, UpgradeRecord } from './types.js';

const PHASES: readonly string[] = ['Upgrading', 'Resetting', 'Aborted', 'Failed'] satisfies UpgradeRecord['phase'][];

/**
 * The set's record on a pod, or `undefined` when there is none that can be used. People may edit or delete it, so every part is
 * checked, and a part that is wrong is left out.
 */
export function readUpgradeRecord(
  annotations: Readonly<Record<string, string>>,
  setName: string,
): UpgradeRecord | undefined {
  const text = annotations[SIDESTEP.upgrade];
  const raw = text === undefined ? null : parseNew(text);
  const value = raw !== null && Object.hasOwn(raw, setName) ? raw[setName] : undefined;
  if (!isObject(value)) return undefined;
  const { phase, revision, since, attempt } = value;
  if (typeof phase !== 'string' || !PHASES.includes(phase) || typeof revision !== 'string') return undefined;
  const record: UpgradeRecord = {
    phase: phase as UpgradeRecord['phase'],
    revision,
    attempt: typeof attempt === 'number' && Number.isSafeInteger(attempt) && attempt > 0 ? attempt : 1,
    since: typeof since === 'string' && !Number.isNaN(Date.parse(since)) ? since : '1970-01-01T00:00:00Z',
  };
  copyTexts(value, record);
  if (Array.isArray(value.unready)) record.unready = value.unready.filter((name) => typeof name === 'string');
  const images = pick(value.images, (image) => (typeof image === 'string' ? image : undefined));
  const containers = pick(value.containers, containerBefore);
  const starts = pick(value.starts, startHistory);
  if (images !== undefined) record.images = images;
  if (containers !== undefined) record.containers = containers;
  if (starts !== undefined) record.starts = starts;
  return record;
}

/** Text of `sidestep.dev/upgrade` with the set's record replaced. */
export const withUpgradeRecord = (text: string | undefined, setName: string, record: UpgradeRecord): string =>
  withEntry(text, setName, record);

/** Enough of a container id to tell two containers of one pod apart, at a seventh of its length. */
export function shortContainerId(status: ContainerStatus | undefined): string {
  const id = status?.containerID ?? '';
  return id.slice(id.lastIndexOf('/') + 1).slice(0, 12);
}

/** Enough of an imageID to tell images apart; undefined for none. */
export const shortImageID = (imageID: string | undefined): string | undefined =>
  imageID === undefined || imageID === '' ? undefined : imageID.slice(-12);

const TEXT_FIELDS = ['from', 'to', 'fromHash', 'fromHashWithoutImage', 'begun', 'reason', 'retry', 'version'] as const;

function copyTexts(value: Record<string, unknown>, record: UpgradeRecord): void {
  for (const field of TEXT_FIELDS) {
    const text = value[field];
    if (typeof text === 'string') record[field] = text;
  }
}

function containerBefore(value: unknown): ContainerBefore | undefined {
  if (!isObject(value) || typeof value.image !== 'string' || typeof value.id !== 'string') return undefined;
  const before: ContainerBefore = {
    image: value.image,
    id: value.id,
    restarts: typeof value.restarts === 'number' ? value.restarts : 0,
  };
  if (typeof value.ran === 'string') before.ran = value.ran;
  if (typeof value.imageID === 'string') before.imageID = value.imageID;
  if (typeof value.version === 'string') before.version = value.version;
  if (typeof value.waiting === 'string') before.waiting = value.waiting;
  return before;
}

function startHistory(value: unknown): StartHistory | undefined {
  if (!isObject(value)) return undefined;
  const images = pick(value.images, (pair): [number, number] | undefined => {
    if (!Array.isArray(pair)) return undefined;
    const [backOff, last] = pair as unknown[];
    return typeof backOff === 'number' && typeof last === 'number' ? [backOff, last] : undefined;
  });
  const history: StartHistory = { images: images ?? {} };
  if (typeof value.ended === 'number') history.ended = value.ended;
  return history;
}

function pick<T>(value: unknown, read: (item: unknown) => T | undefined): Record<string, T> | undefined {
  if (!isObject(value)) return undefined;
  const picked: Record<string, T> = {};
  for (const [key, item] of Object.entries(value)) {
    const result = read(item);
    if (result !== undefined) picked[key] = result;
  }
  return picked;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
