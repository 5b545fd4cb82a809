/**
 * Reads and writes OpenKruise's pod annotations. Reading never throws: whatever cannot be understood is `undefined`. Writing
 * yields the bytes that OpenKruise 1.9 writes (Go's JSON of its structs: fixed field order, map keys sorted).
 */
import { KRUISE } from '../api/keys.js';
import { compactGoJson, GoText, goMapText, goMembers } from '../injection/go-json.js';
import { readWorking } from '../injection/hot-pair-annotations.js';

type JsonObject = Record<string, unknown>;

/** One set's entry of `kruise.io/sidecarset-hash` or `...-hash-without-image`. */
export interface HashEntry {
  updateTimestamp?: string;
  hash: string;
  sidecarSetName?: string;
  sidecarList?: string[];
  controllerRevision?: string;
}

/** One set's entry of `kruise.io/sidecarset-inplace-update-state`. */
export interface InPlaceState {
  revision: string;
  updateTimestamp: string;
  /** Container name to the imageID it had before its image was last changed; an absent imageID was empty. */
  lastContainerStatuses: Record<string, { imageID?: string }>;
}

/** A JSON object from annotation text: `undefined` when absent or empty, `null` when it is not one. Not to be written to. */
export function parseObject(text: string | undefined): Readonly<JsonObject> | undefined | null {
  if (text === undefined || text === '') return undefined;
  const known = parsed.get(text);
  if (known !== undefined) return known;
  if (parsed.size >= PARSED_LIMIT) parsed.clear();
  const object = parseNew(text);
  parsed.set(text, object);
  return object;
}

/** Pods of one revision share their texts, and a change of the SidecarSet makes every pod be read again. */
const parsed = new Map<string, Readonly<JsonObject> | null>();
const PARSED_LIMIT = 2_000;

/** As {@link parseObject} for texts that no two pods share. */
export function parseNew(text: string): Readonly<JsonObject> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The set's entry; pods from before OpenKruise 0.8 carry the plain hash. `null`: the annotation cannot be read. */
export function readHashEntry(text: string | undefined, setName: string): HashEntry | undefined | null {
  const map = parseObject(text);
  if (map === undefined || map === null) return map;
  const value = Object.hasOwn(map, setName) ? map[setName] : undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'string') return { hash: value };
  if (!isObject(value) || typeof value.hash !== 'string') return null;
  const entry: HashEntry = { hash: value.hash };
  const updateTimestamp = textOf(value.updateTimestamp);
  const controllerRevision = textOf(value.controllerRevision);
  if (updateTimestamp !== undefined) entry.updateTimestamp = updateTimestamp;
  if (controllerRevision !== undefined) entry.controllerRevision = controllerRevision;
  return entry;
}

/** Annotation text with the set's entry replaced and every other set's kept. */
export function withHashEntry(text: string | undefined, setName: string, entry: HashEntry): string {
  const { updateTimestamp, hash, sidecarSetName, sidecarList, controllerRevision } = entry;
  const ordered = { updateTimestamp, hash, sidecarSetName, sidecarList, controllerRevision };
  return withEntry(text, setName, ordered);
}

/** `undefined`: this set never changed the pod in place. `null`: the annotation cannot be read. */
export function readInPlaceState(text: string | undefined, setName: string): InPlaceState | undefined | null {
  const map = parseObject(text);
  if (map === undefined || map === null) return map;
  const value = Object.hasOwn(map, setName) ? map[setName] : undefined;
  if (value === undefined) return undefined;
  if (!isObject(value)) return null;
  const lastContainerStatuses: InPlaceState['lastContainerStatuses'] = {};
  if (isObject(value.lastContainerStatuses)) {
    for (const [name, status] of Object.entries(value.lastContainerStatuses)) {
      const imageID = isObject(status) ? textOf(status.imageID) : undefined;
      lastContainerStatuses[name] = imageID === undefined ? {} : { imageID };
    }
  }
  return {
    revision: textOf(value.revision) ?? '',
    updateTimestamp: textOf(value.updateTimestamp) ?? '',
    lastContainerStatuses,
  };
}

/** Annotation text with the set's state replaced and every other set's kept. */
export function withInPlaceState(text: string | undefined, setName: string, state: InPlaceState): string {
  const { revision, updateTimestamp, lastContainerStatuses } = state;
  const last = goMapText(Object.entries(lastContainerStatuses));
  const before = JSON.stringify({ revision, updateTimestamp }).slice(0, -1);
  return withEntry(text, setName, new GoText(`${before},"lastContainerStatuses":${last}}`));
}

/** Base name of a hot sidecar to the container that works now; entries that are no text are left out. */
export function readWorkingContainers(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const map = parseObject(annotations[KRUISE.workingHotContainer]) ?? {};
  return Object.fromEntries(
    Object.entries(map).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}

/** Text of the pointer annotation with entries replaced; others stay, and are empty where they were no text, as in OpenKruise. */
export function withWorkingContainers(text: string | undefined, working: Readonly<Record<string, string>>): string {
  return goMapText(new Map([...readWorking(text), ...Object.entries(working)]));
}

/** A container's version as a number; whatever is no decimal number counts as 0. */
export function readVersion(annotations: Readonly<Record<string, string>>, container: string): bigint {
  return parseVersion(annotations[versionKey(container)]);
}

export const parseVersion = (text: string | undefined): bigint =>
  text !== undefined && /^[0-9]{1,20}$/.test(text) ? BigInt(text) : 0n;

export const versionKey = (container: string): string => `${KRUISE.versionPrefix}${container}`;
export const versionAltKey = (container: string): string => `${KRUISE.versionAltPrefix}${container}`;

/** Whether the set is in the comma list of injected sets. */
export function isInInjectedList(text: string | undefined, setName: string): boolean {
  if (text === undefined) return false;
  return text === setName || text.split(',').includes(setName);
}

/** RFC 3339 in whole seconds, as Go's metav1.Time prints it. */
export const toTimestamp = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

/** Annotation text (a JSON map by set name) with one entry replaced; the others stay as they are written. */
export function withEntry(text: string | undefined, setName: string, entry: object): string {
  const others = [...goMembers(text)].filter(([name]) => name !== setName);
  return goMapText([
    ...others.map(([name, value]) => [name, new GoText(compactGoJson(value))] as const),
    [setName, entry],
  ]);
}
