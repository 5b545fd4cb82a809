import { pointerToken } from '../injection/apply-json-patch.js';
import type { JsonPatch } from './kubernetes.js';

/**
 * The JSON Patch (RFC 6902) that turns one JSON value into another and encodes nothing that is the same in both. Fields whose
 * new value is undefined are removed. Lists of another length are replaced as a whole.
 */
export function diffJson(before: unknown, after: unknown, path = ''): JsonPatch {
  if (Object.is(before, after)) return [];
  if (isList(before) && isList(after) && before.length === after.length) {
    return after.flatMap((value, index) => diffJson(before[index], value, `${path}/${index}`));
  }
  if (isRecord(before) && isRecord(after)) return diffFields(before, after, path);
  return [{ op: 'replace', path, value: after }];
}

function diffFields(before: Record<string, unknown>, after: Record<string, unknown>, path: string): JsonPatch {
  const patch: JsonPatch = [];
  for (const key of Object.keys(before)) {
    if (own(before, key) !== undefined && own(after, key) === undefined)
      patch.push({ op: 'remove', path: at(path, key) });
  }
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const old = own(before, key);
    if (old === undefined) patch.push({ op: 'add', path: at(path, key), value });
    else patch.push(...diffJson(old, value, at(path, key)));
  }
  return patch;
}

/** A key may have the name of something that every object inherits. */
const own = (record: Record<string, unknown>, key: string): unknown =>
  Object.hasOwn(record, key) ? record[key] : undefined;

const at = (path: string, key: string): string => `${path}/${pointerToken(key)}`;

const isList = (value: unknown): value is unknown[] => Array.isArray(value);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
