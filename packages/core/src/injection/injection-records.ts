import { KRUISE } from '../api/keys.js';
import { type GoJson, GoJsonError, goMapText, parseGoJson } from './go-json.js';
import { InjectionRefused } from './injection-plan.js';

/** One SidecarSet's entry of a pod's hash annotations, in the order in which OpenKruise prints it. */
export interface InjectionRecord {
  /** RFC 3339; null in entries that were written before OpenKruise 0.8. */
  updateTimestamp: string | null;
  hash: string;
  sidecarSetName: string;
  sidecarList: string[] | null;
  controllerRevision?: string;
}

/** The entries of one hash annotation by SidecarSet. */
export type InjectionRecords = Map<string, InjectionRecord>;

type RecordsKey = typeof KRUISE.hash | typeof KRUISE.hashWithoutImage;

/**
 * Reads `kruise.io/sidecarset-hash` or its without-image twin, also in the form of OpenKruise before 0.8 (set name to hash).
 *
 * @param pod `namespace/name`, for the message
 * @throws {InjectionRefused} with OpenKruise's message when the text is neither
 */
export function readInjectionRecords(text: string | undefined, key: RecordsKey, pod: string): InjectionRecords {
  if (!text) return new Map();
  try {
    return recordsFrom(parseGoJson(text));
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    throw new InjectionRefused(
      `pod(${pod}) invalid annotations[${key}] value ${text}, unmarshal failed: ${error.message}`,
      `Remove the annotation ${key} from the pod or its template; it is written at injection.`,
      error,
    );
  }
}

/** The annotation's text: sets sorted by name. */
export function injectionRecordsText(records: InjectionRecords): string {
  return goMapText(records);
}

function recordsFrom(document: GoJson): InjectionRecords {
  if (document.kind === 'null') return new Map();
  if (document.kind !== 'object') throw typeError(document, 'map[string]string');
  const records = [...document.members].map(([name, entry]) => [name, recordFrom(entry)] as const);
  if (records.every(([, record]) => record !== undefined)) return new Map(records as [string, InjectionRecord][]);
  return new Map([...document.members].map(([name, entry]) => [name, legacyRecord(name, entry)]));
}

const EMPTY: InjectionRecord = { updateTimestamp: null, hash: '', sidecarSetName: '', sidecarList: null };
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** Undefined when some field has the wrong type. */
function recordFrom(entry: GoJson): InjectionRecord | undefined {
  if (entry.kind === 'null') return EMPTY;
  if (entry.kind !== 'object') return undefined;
  const record = { ...EMPTY, ...(JSON.parse(entry.text) as Partial<InjectionRecord>) };
  return isRecord(record) ? record : undefined;
}

function isRecord({
  updateTimestamp,
  hash,
  sidecarSetName,
  sidecarList,
  controllerRevision,
}: InjectionRecord): boolean {
  if (updateTimestamp !== null && !(typeof updateTimestamp === 'string' && RFC3339.test(updateTimestamp))) return false;
  if (typeof hash !== 'string' || typeof sidecarSetName !== 'string') return false;
  if (controllerRevision !== undefined && typeof controllerRevision !== 'string') return false;
  return sidecarList === null || (Array.isArray(sidecarList) && sidecarList.every((name) => typeof name === 'string'));
}

function legacyRecord(name: string, entry: GoJson): InjectionRecord {
  if (entry.kind !== 'string' && entry.kind !== 'null') throw typeError(entry, 'string');
  return { ...EMPTY, hash: entry.kind === 'string' ? entry.value : '', sidecarSetName: name };
}

function typeError({ kind }: GoJson, type: string): GoJsonError {
  return new GoJsonError(`json: cannot unmarshal ${kind} into Go value of type ${type}`);
}
