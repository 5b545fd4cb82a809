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
    if (before[key] !== undefined && after[key] === undefined) patch.push({ op: 'remove', path: at(path, key) });
  }
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue;
    if (before[key] === undefined) patch.push({ op: 'add', path: at(path, key), value });
    else patch.push(...diffJson(before[key], value, at(path, key)));
  }
  return patch;
}

const at = (path: string, key: string): string => `${path}/${pointerToken(key)}`;

const isList = (value: unknown): value is unknown[] => Array.isArray(value);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
