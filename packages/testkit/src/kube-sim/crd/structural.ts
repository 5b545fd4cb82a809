import { isPlain } from '../patch/merge-patch.js';

/** The part of a structural schema that pruning and defaulting read (kubernetes.io, "Extend the Kubernetes API with CustomResourceDefinitions"). */
export interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  default?: unknown;
  nullable?: boolean;
  [keyword: string]: unknown;
}

const PRESERVE = 'x-kubernetes-preserve-unknown-fields';
const EMBEDDED = 'x-kubernetes-embedded-resource';
const TYPE_META = new Set(['apiVersion', 'kind', 'metadata']);

/** Removes what the schema does not know, in place; returns the paths removed. */
export function prune(schema: Schema, value: Record<string, unknown>): string[] {
  const removed: string[] = [];
  pruneValue({ ...schema, [EMBEDDED]: true }, value, '', removed);
  return removed;
}

function pruneValue(schema: Schema | undefined, value: unknown, path: string, removed: string[]): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) pruneValue(schema?.items, item, `${path}[${index}]`, removed);
    return;
  }
  if (!isPlain(value)) return;
  for (const key of Object.keys(value)) {
    const at = path === '' ? key : `${path}.${key}`;
    const known = childSchema(schema, key);
    if (known) pruneValue(known, value[key], at, removed);
    else if (!keepsUnknown(schema, key)) {
      delete value[key];
      removed.push(at);
    }
  }
}

function childSchema(schema: Schema | undefined, key: string): Schema | undefined {
  const own = schema?.properties && Object.hasOwn(schema.properties, key) ? schema.properties[key] : undefined;
  if (schema?.[EMBEDDED] && TYPE_META.has(key)) return { [PRESERVE]: true };
  return own ?? (isPlain(schema?.additionalProperties) ? schema?.additionalProperties : undefined);
}

const keepsUnknown = (schema: Schema | undefined, key: string): boolean =>
  schema === undefined ||
  schema[PRESERVE] === true ||
  schema.additionalProperties === true ||
  (schema[EMBEDDED] === true && TYPE_META.has(key));

/** Fills in `default`s, in place. Null counts as absent where the schema does not allow it. */
export function applyDefaults(schema: Schema, value: unknown): void {
  if (Array.isArray(value)) {
    if (schema.items) for (const item of value) applyDefaults(schema.items, item);
    return;
  }
  if (!isPlain(value)) return;
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const absent = value[key] === undefined || (value[key] === null && property.nullable !== true);
    if (absent && property.default !== undefined) value[key] = structuredClone(property.default);
    if (value[key] !== undefined) applyDefaults(property, value[key]);
  }
  if (isPlain(schema.additionalProperties)) {
    for (const item of Object.values(value)) applyDefaults(schema.additionalProperties as Schema, item);
  }
}

/** The keys of a `map` list at a path; `atomic` for every other list. */
export function listKeys(schema: Schema | undefined, path: readonly string[]): string[] | 'atomic' {
  let at = schema;
  for (const step of path) at = descend(at, step);
  const keys = at?.['x-kubernetes-list-map-keys'];
  return at?.['x-kubernetes-list-type'] === 'map' && Array.isArray(keys) ? (keys as string[]) : 'atomic';
}

function descend(schema: Schema | undefined, step: string): Schema | undefined {
  const holder = schema?.items ?? schema;
  const additional = holder?.additionalProperties;
  return holder?.properties?.[step] ?? (isPlain(additional) ? (additional as Schema) : undefined);
}
