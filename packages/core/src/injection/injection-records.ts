import { KRUISE } from '../api/keys.js';
import { type GoJson, GoJsonError, goMapText, parseGoJson } from './go-json.js';
import { goTime } from './go-time.js';
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

/**
 * One entry as Go reads it: names match in any case, null leaves the zero value, what is not known is dropped, and of several
 * members of one name the last wins. Undefined when some field has the wrong type.
 */
function recordFrom(entry: GoJson): InjectionRecord | undefined {
  if (entry.kind === 'null') return EMPTY;
  if (entry.kind !== 'object') return undefined;
  const record = { ...EMPTY };
  for (const [name, value] of entry.pairs) {
    const read = FIELDS.find(([field]) => field.test(name))?.[1];
    if (read !== undefined && !read(record, value)) return undefined;
  }
  return record;
}

/** Puts a value into a record; false when it is of the wrong type. */
type ReadField = (record: InjectionRecord, value: GoJson) => boolean;

// The flags fold single characters, as Go does; `toLowerCase` would not find the Kelvin sign or the long s.
const FIELDS: readonly (readonly [RegExp, ReadField])[] = [
  [/^updateTimestamp$/iu, readTime],
  [/^hash$/iu, textInto('hash')],
  [/^sidecarSetName$/iu, textInto('sidecarSetName')],
  [/^sidecarList$/iu, readList],
  [/^controllerRevision$/iu, textInto('controllerRevision')],
];

function textInto(field: 'hash' | 'sidecarSetName' | 'controllerRevision'): ReadField {
  return (record, value) => {
    if (value.kind === 'null') return true;
    if (value.kind !== 'string') return false;
    // Go leaves an empty revision out; the other two are always printed.
    if (field === 'controllerRevision' && value.value === '') delete record.controllerRevision;
    else record[field] = value.value;
    return true;
  };
}

function readTime(record: InjectionRecord, value: GoJson): boolean {
  const time = value.kind === 'null' ? null : value.kind === 'string' ? goTime(value.value) : undefined;
  if (time === undefined) return false;
  record.updateTimestamp = time;
  return true;
}

function readList(record: InjectionRecord, value: GoJson): boolean {
  if (value.kind === 'null') record.sidecarList = null;
  else if (value.kind === 'array' && value.items.every(({ kind }) => kind === 'string' || kind === 'null'))
    record.sidecarList = value.items.map((item) => (item.kind === 'string' ? item.value : ''));
  else return false;
  return true;
}

function legacyRecord(name: string, entry: GoJson): InjectionRecord {
  if (entry.kind !== 'string' && entry.kind !== 'null') throw typeError(entry, 'string');
  return { ...EMPTY, hash: entry.kind === 'string' ? entry.value : '', sidecarSetName: name };
}

function typeError({ kind }: GoJson, type: string): GoJsonError {
  return new GoJsonError(`json: cannot unmarshal ${kind} into Go value of type ${type}`);
}
