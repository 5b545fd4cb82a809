import { badRequest } from '../api-error.js';
import { isPrimitiveSet, mergeKeyOf } from './merge-keys.js';
import { isPlain } from './merge-patch.js';

type Plain = Record<string, unknown>;

const ORDER = '$setElementOrder/';
const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';
const RETAIN_KEYS = '$retainKeys';

/** Strategic merge: as a merge patch, but lists with a key merge item by item, and `$patch`, `$retainKeys` and the order directives count. */
export function applyStrategicPatch(target: unknown, patch: unknown): unknown {
  if (!isPlain(patch)) throw badRequest('a strategic merge patch is an object');
  return mergeObject(isPlain(target) ? target : {}, patch);
}

function mergeObject(target: Plain, patch: Plain): Plain {
  if (patch.$patch === 'replace') return without(patch, '$patch');
  if (patch.$patch === 'delete') return {};
  const merged: Plain = retained(target, patch[RETAIN_KEYS]);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    if (value === null) delete merged[key];
    else merged[key] = orderedByPatch(key, mergeValue(key, merged[key], value), patch);
  }
  applyListDirectives(merged, patch);
  return merged;
}

function mergeValue(field: string, current: unknown, value: unknown): unknown {
  if (isPlain(value)) return mergeObject(isPlain(current) ? current : {}, value);
  if (!Array.isArray(value)) return value;
  const before = Array.isArray(current) ? current : [];
  if (isPrimitiveSet(field)) return [...new Set([...before, ...value])];
  const key = mergeKeyOf(field, [...before, ...value]);
  return key ? mergeList(key, before as Plain[], value as Plain[]) : value;
}

function mergeList(key: string, current: readonly Plain[], patch: readonly Plain[]): Plain[] {
  const replaces = patch.some((item) => item.$patch === 'replace' && !Object.hasOwn(item, key));
  const items = replaces ? [] : [...current];
  for (const item of patch) {
    if (!Object.hasOwn(item, key)) continue;
    const index = items.findIndex((candidate) => candidate[key] === item[key]);
    if (item.$patch === 'delete') {
      if (index >= 0) items.splice(index, 1);
    } else if (index >= 0) items[index] = mergeObject(items[index] as Plain, item);
    else items.push(mergeObject({}, item));
  }
  return items;
}

/** Where no directive says otherwise, items get the order in which the patch names them. */
function orderedByPatch(field: string, merged: unknown, patch: Plain): unknown {
  const named = patch[field];
  if (!Array.isArray(merged) || !Array.isArray(named) || patch[`${ORDER}${field}`] !== undefined) return merged;
  return mergeKeyOf(field, merged) ? inOrder(field, merged, named) : merged;
}

function applyListDirectives(merged: Plain, patch: Plain): void {
  for (const [directive, value] of Object.entries(patch)) {
    if (!Array.isArray(value)) continue;
    if (directive.startsWith(DELETE_PRIMITIVES)) {
      const field = directive.slice(DELETE_PRIMITIVES.length);
      if (Array.isArray(merged[field])) merged[field] = merged[field].filter((item) => !value.includes(item));
    }
    if (directive.startsWith(ORDER)) {
      const field = directive.slice(ORDER.length);
      if (Array.isArray(merged[field])) merged[field] = inOrder(field, merged[field], value);
    }
  }
}

/** Items that the order names come in its sequence; others keep their place behind their former neighbour. */
function inOrder(field: string, items: unknown[], order: unknown[]): unknown[] {
  const key = mergeKeyOf(field, items);
  const identity = (item: unknown): unknown => (key && isPlain(item) ? item[key] : item);
  const rank = new Map(order.map((item, index) => [identity(item), index]));
  let last = -1;
  const ranked = items.map((item, index) => {
    last = rank.get(identity(item)) ?? last;
    return { item, rank: last, index };
  });
  return ranked.sort((a, b) => a.rank - b.rank || a.index - b.index).map(({ item }) => item);
}

const retained = (target: Plain, keys: unknown): Plain =>
  Array.isArray(keys)
    ? Object.fromEntries(Object.entries(target).filter(([key]) => keys.includes(key)))
    : { ...target };

const without = (object: Plain, key: string): Plain =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
