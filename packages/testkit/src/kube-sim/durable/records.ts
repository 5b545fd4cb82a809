import { type Entry, entryOf, keyOf, resourceId } from '../entry.js';
import { readJson } from '../json.js';
import type { SimObject } from '../types.js';
import { DataDirError } from './data-dir-error.js';

/** A resource, whatever its version: what is stored does not name one. */
export interface StoredResource {
  group: string;
  plural: string;
}

/** Everything that a journal holds. */
export interface SavedState {
  /** The newest resource version. */
  sequence: number;
  objects: { resource: StoredResource; entry: Entry }[];
}

type Saved = { sequence: number } | { put: string; object: SimObject } | { delete: string; key: string; at: number };

/** The entry's own text is the record: nothing is encoded twice. */
export const putRecord = (resource: StoredResource, { tail }: Entry): string =>
  `{"put":${JSON.stringify(resourceId(resource))},"object":{${tail}}`;

export const deleteRecord = (resource: StoredResource, { key, resourceVersion }: Entry): string =>
  JSON.stringify({ delete: resourceId(resource), key, at: resourceVersion });

/** First in a journal: deletions leave nothing behind that would tell how far the versions had come. */
export const sequenceRecord = (sequence: number): string => JSON.stringify({ sequence });

/** One line is one commit: it is there as a whole or, when it was cut off, not at all. */
export const lineOf = (records: readonly string[]): string => `[${records.join(',')}]\n`;

const NEWLINE = 10;

/** What is left after every commit of a journal. Throws `DataDirError` where it is broken. */
export function readRecords(bytes: Buffer, file: string): SavedState {
  const state = new Replay();
  let from = 0;
  for (let line = 1; ; line += 1) {
    const end = bytes.indexOf(NEWLINE, from);
    // Without its end it was being written when the server died: nobody was answered yet.
    if (end < 0) break;
    state.take(readLine(bytes.toString('utf8', from, end), `line ${line} of ${file}`));
    from = end + 1;
  }
  return state.result();
}

function readLine(text: string, where: string): Saved[] {
  try {
    const records = readJson(text);
    if (Array.isArray(records)) return records as Saved[];
  } catch {
    // Said below.
  }
  throw new DataDirError(
    'JournalBroken',
    `${where} is no line of a journal`,
    'Nothing was changed. Put the file back as it was, or begin with an empty directory.',
  );
}

class Replay {
  private sequence = 0;
  private readonly objects = new Map<string, Extract<Saved, { put: string }>>();

  take(records: readonly Saved[]): void {
    for (const record of records) {
      if ('sequence' in record) this.reach(record.sequence);
      else if ('put' in record) {
        const { namespace, name, resourceVersion } = record.object.metadata;
        this.objects.set(`${record.put} ${keyOf(namespace, name)}`, record);
        this.reach(Number(resourceVersion));
      } else {
        this.objects.delete(`${record.delete} ${record.key}`);
        this.reach(record.at);
      }
    }
  }

  result(): SavedState {
    const objects = [...this.objects.values()].map(({ put, object }) => {
      const [group = '', plural = ''] = put.split('/');
      const resource = { group, plural };
      return { resource, entry: entryOf(resource, object, Number(object.metadata.resourceVersion)) };
    });
    return { sequence: this.sequence, objects };
  }

  private reach(resourceVersion: number): void {
    this.sequence = Math.max(this.sequence, resourceVersion);
  }
}
