import { z } from 'zod';
import { jsonText, parseJsonText } from './json-text.js';
import { KRUISE, SIDESTEP } from './keys.js';
import type { ObjectMeta } from './kubernetes.js';

const EmptyMap = z.union([z.null(), z.strictObject({})]);

/**
 * What the other version cannot say, kept in an annotation of the converted object; written only where something would be lost.
 */
const Remainder = z.strictObject({
  /** v1alpha1 had a namespace that says nothing, or one beside a selector that it wins over. */
  namespace: z.string().nullable().optional(),
  /** v1alpha1 had this namespaceSelector beside its namespace. */
  namespaceSelector: z.unknown().optional(),
  /** v1alpha1 named the one namespace by a selector, not by `spec.namespace`. */
  bySelector: z.literal(true).optional(),
  /** v1alpha1 had the custom version label, with nothing in it. */
  emptyLabel: z.literal(true).optional(),
  /** v1beta1 had the custom version label as a label of its own ... */
  label: z.string().optional(),
  /** ... beside this custom version; or it had a custom version that says nothing. */
  customVersion: z.string().nullable().optional(),
  /** The labels were there, but empty. */
  labels: EmptyMap.optional(),
  /** The annotations were there, but empty. */
  annotations: EmptyMap.optional(),
  /** Somebody else had written this under our key. */
  own: z.unknown().optional(),
});

/** What conversion keeps of a SidecarSet in an annotation, where the other version has no field for it. */
export type Remainder = z.infer<typeof Remainder>;

/** What an annotation says if it is one of ours by its form. */
export function readRemainder(annotation: unknown): Remainder | undefined {
  if (typeof annotation !== 'string') return undefined;
  try {
    return Remainder.parse(parseJsonText(annotation));
  } catch {
    return undefined;
  }
}

/** Labels or annotations: clients do send null. */
type MaybeMap = Record<string, unknown> | null | undefined;

/**
 * The metadata of a converted object. What stands under our key and is not ours is kept in the remainder, where it could be lost
 * or taken for ours, and else left where it is.
 *
 * @param label the custom version label, which is all that versions differ by in the labels; none if undefined
 */
export function withRemainder(metadata: ObjectMeta, label: string | undefined, lost: Remainder): ObjectMeta {
  const { labels, annotations }: { labels?: MaybeMap; annotations?: MaybeMap } = metadata;
  const own = ownValue(annotations?.[SIDESTEP.conversion]);
  const kept = { ...lost, ...(label !== undefined && isEmptyMap(labels) ? { labels } : {}) };
  const isLossy = Object.keys(kept).length > 0;
  if (own !== undefined && (isLossy || readRemainder(own) !== undefined)) Object.assign(kept, { own });
  if (isLossy && isEmptyMap(annotations)) Object.assign(kept, { annotations });
  const text = Object.keys(kept).length > 0 ? jsonText(kept) : own;
  return withMaps(
    metadata,
    withEntry(labels, KRUISE.customVersion, label),
    withEntry(annotations, SIDESTEP.conversion, text),
  );
}

/**
 * Of a remainder that holds no more only what it was wrapped around is worth keeping: two clients that undo each other's changes
 * would wrap it ever deeper.
 */
function ownValue(annotation: unknown): unknown {
  const stale = readRemainder(annotation);
  return stale !== undefined && 'own' in stale ? stale.own : annotation;
}

/** The metadata that {@link withRemainder} was given. */
export function withoutRemainder(metadata: ObjectMeta, label: string | undefined, kept: Remainder): ObjectMeta {
  const { labels, annotations }: { labels?: MaybeMap; annotations?: MaybeMap } = metadata;
  return withMaps(
    metadata,
    withEntry(labels, KRUISE.customVersion, label, kept.labels),
    withEntry(annotations, SIDESTEP.conversion, kept.own, kept.annotations),
  );
}

const isEmptyMap = (map: MaybeMap): map is Record<string, never> | null =>
  map === null || (map !== undefined && Object.keys(map).length === 0);

/** The map with one key set or taken out. Where that changes nothing it is the same map, even null or none. */
function withEntry(map: MaybeMap, key: string, value: unknown, whenEmpty?: MaybeMap): MaybeMap {
  if (map?.[key] === value) return map;
  if (value !== undefined) return { ...map, [key]: value };
  const { [key]: _, ...rest } = map ?? {};
  return Object.keys(rest).length > 0 ? rest : whenEmpty;
}

function withMaps(metadata: ObjectMeta, labels: MaybeMap, annotations: MaybeMap): ObjectMeta {
  const result = { ...metadata };
  for (const [field, map] of [
    ['labels', labels],
    ['annotations', annotations],
  ] as const) {
    if (map === undefined) delete result[field];
    else Object.assign(result, { [field]: map });
  }
  return result;
}
