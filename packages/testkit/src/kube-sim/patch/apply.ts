import { sameJson } from '../json.js';
import { isPrimitiveSet, mergeKeyOf } from './merge-keys.js';
import { isPlain } from './merge-patch.js';

type Plain = Record<string, unknown>;

/** The keys of a custom resource's list, from `x-kubernetes-list-map-keys`; `undefined` for built-in kinds, whose keys are known by name. */
export type ListKeyOf = (path: readonly string[]) => string[] | 'atomic' | undefined;

/**
 * Server-side apply as if every apply were forced: what is applied wins, what the same manager applied before and leaves out now is
 * removed, everything else stays. `before` is the manager's former configuration.
 */
export function applyConfiguration(current: Plain, before: Plain | undefined, config: Plain, keysOf: ListKeyOf): Plain {
  return mergeObject(current, before ?? {}, config, [], keysOf);
}

function mergeObject(current: Plain, before: Plain, config: Plain, path: string[], keysOf: ListKeyOf): Plain {
  const merged = { ...current };
  for (const key of Object.keys(before))
    if (!Object.hasOwn(config, key)) withdraw(merged, key, before[key], path, keysOf);
  for (const [key, value] of Object.entries(config)) {
    merged[key] = mergeValue(merged[key], before[key], value, [...path, key], keysOf);
  }
  return merged;
}

function mergeValue(current: unknown, before: unknown, value: unknown, path: string[], keysOf: ListKeyOf): unknown {
  if (isPlain(value)) {
    return mergeObject(isPlain(current) ? current : {}, isPlain(before) ? before : {}, value, path, keysOf);
  }
  if (!Array.isArray(value) || !Array.isArray(current)) return value;
  const former = Array.isArray(before) ? before : [];
  if (isPrimitiveSet(path.at(-1) ?? '')) {
    const kept = current.filter((item) => value.includes(item) || !former.includes(item));
    return [...new Set([...kept, ...value])];
  }
  const keys = listKeys(path, [...current, ...value], keysOf);
  return keys ? mergeList(keys, current as Plain[], former as Plain[], value as Plain[], path, keysOf) : value;
}

function mergeList(
  keys: string[],
  current: Plain[],
  before: Plain[],
  config: Plain[],
  path: string[],
  keysOf: ListKeyOf,
): Plain[] {
  const same = (a: Plain, b: Plain): boolean => keys.every((key) => a[key] === b[key]);
  const find = (list: Plain[], item: Plain): Plain | undefined => list.find((candidate) => same(candidate, item));
  const kept = current.filter((item) => find(config, item) || !find(before, item));
  const merged = kept.map((item) => {
    const wanted = find(config, item);
    return wanted ? mergeObject(item, find(before, item) ?? {}, wanted, path, keysOf) : item;
  });
  return [...merged, ...config.filter((item) => !find(kept, item))];
}

/** Takes back one field of the former configuration, but only as far as that configuration reached. */
function withdraw(merged: Plain, key: string, before: unknown, path: string[], keysOf: ListKeyOf): void {
  const value = merged[key];
  if (isPlain(value) && isPlain(before)) {
    const rest = mergeObject(value, before, {}, [...path, key], keysOf);
    if (Object.keys(rest).length > 0) merged[key] = rest;
    else delete merged[key];
  } else if (Array.isArray(value) && Array.isArray(before)) {
    const rest = mergeValue(value, before, [], [...path, key], keysOf) as unknown[];
    if (rest.length > 0) merged[key] = rest;
    else delete merged[key];
  } else if (sameJson(value, before)) delete merged[key];
}

function listKeys(path: string[], items: unknown[], keysOf: ListKeyOf): string[] | undefined {
  const declared = keysOf(path);
  if (declared) return declared === 'atomic' ? undefined : declared;
  const key = mergeKeyOf(path.at(-1) ?? '', items);
  return key ? [key] : undefined;
}
