import { z } from 'zod';
import { SidestepError } from './errors.js';
import { jsonText, parseJsonText } from './json-text.js';
import { KRUISE, SIDESTEP } from './keys.js';
import type { LabelSelector, ObjectMeta } from './kubernetes.js';
import { SidecarSetDecodeError } from './read-sidecarset.js';
import { isRecord } from './schema/go-json.js';
import { NAMESPACE_NAME_LABEL } from './selectors.js';
import type { SidecarSet, SidecarSetSpec } from './sidecarset.js';
import { API_V1ALPHA1, API_V1BETA1 } from './versions.js';

/** `spec` as v1alpha1 has it. */
export interface SidecarSetSpecV1alpha1 extends SidecarSetSpec {
  /** The one namespace; wins over `namespaceSelector`, and empty counts as none. */
  namespace?: string;
}

/** Thrown by {@link convertSidecarSet} for a version that is not served. */
export class ConversionError extends SidestepError {
  constructor(from: unknown, to: string) {
    super('CONVERSION_UNSUPPORTED', `cannot convert a SidecarSet from ${jsonText(from) ?? 'no version'} to ${to}`, {
      hint: `Use ${API_V1ALPHA1} or ${API_V1BETA1}.`,
    });
  }
}

const EmptyMap = z.union([z.null(), z.strictObject({})]);

/**
 * What the other version cannot say, kept in an annotation of the converted object; written only where something would be lost.
 * It is believed only while the object still says what it was converted to: a change made through the other version wins.
 */
const Remainder = z.object({
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
});
type Remainder = z.infer<typeof Remainder>;

/**
 * The same SidecarSet in another version of the API (`apps.kruise.io/v1alpha1` or `apps.kruise.io/v1beta1`), losing nothing: a
 * set that is converted there and back is the same again. Unlike OpenKruise 1.9 it gives `spec.namespace` back, and it keeps a
 * namespaceSelector that v1alpha1 has beside a namespace. The input is left alone. Throws {@link ConversionError}, and
 * {@link SidecarSetDecodeError} for a `spec` that is no object.
 */
export function convertSidecarSet(set: SidecarSet, apiVersion: string): SidecarSet {
  if (!isRecord(set.spec)) throw new SidecarSetDecodeError('spec of a SidecarSet must be an object');
  if (set.apiVersion === apiVersion) return set;
  if (set.apiVersion === API_V1ALPHA1 && apiVersion === API_V1BETA1) return toV1beta1(set);
  if (set.apiVersion === API_V1BETA1 && apiVersion === API_V1ALPHA1) return toV1alpha1(set);
  throw new ConversionError(set.apiVersion, apiVersion);
}

function toV1beta1(set: SidecarSet): SidecarSet {
  const { namespace, ...spec } = set.spec as SidecarSetSpecV1alpha1;
  const kept = readRemainder(set.metadata);
  const lost: Remainder = {};
  if (namespace) {
    if (spec.namespaceSelector !== undefined)
      Object.assign(lost, { namespace, namespaceSelector: spec.namespaceSelector });
    spec.namespaceSelector = { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } };
  } else {
    if (namespace !== undefined) lost.namespace = namespace;
    if (namespaceOf(spec.namespaceSelector) !== undefined) lost.bySelector = true;
  }
  const shown = set.metadata.labels?.[KRUISE.customVersion];
  const isAsConverted = kept !== undefined && remembersVersion(kept) && labelShowing(kept) === shown;
  const customVersion = isAsConverted ? kept.customVersion : shown || undefined;
  if (customVersion !== undefined) Object.assign(spec, { customVersion });
  if (!isAsConverted && shown === '') lost.emptyLabel = true;
  const label = isAsConverted ? kept.label : undefined;
  return { ...set, apiVersion: API_V1BETA1, metadata: withMeta(set.metadata, label, kept, lost), spec };
}

function toV1alpha1(set: SidecarSet): SidecarSet {
  const { customVersion, ...rest } = set.spec;
  const spec: SidecarSetSpecV1alpha1 = rest;
  const kept = readRemainder(set.metadata);
  const lost: Remainder = {};
  const namespace = namespaceOf(spec.namespaceSelector);
  if (namespace !== undefined && kept?.bySelector !== true) {
    spec.namespace = namespace;
    if (kept?.namespace === namespace) Object.assign(spec, { namespaceSelector: kept.namespaceSelector });
    else delete spec.namespaceSelector;
  } else if (kept?.namespace !== undefined && !kept.namespace) {
    Object.assign(spec, { namespace: kept.namespace });
  }
  const label = set.metadata.labels?.[KRUISE.customVersion];
  if (label !== undefined) lost.label = label;
  if (customVersion !== undefined && (label !== undefined || !customVersion)) lost.customVersion = customVersion;
  const isAsConverted = kept?.emptyLabel === true && label === undefined && customVersion === undefined;
  const shown = isAsConverted ? '' : customVersion || label;
  return { ...set, apiVersion: API_V1ALPHA1, metadata: withMeta(set.metadata, shown, kept, lost), spec };
}

/** The one namespace of a selector that says nothing but its name. */
function namespaceOf(selector: LabelSelector | undefined): string | undefined {
  if (!isRecord(selector?.matchLabels) || Object.keys(selector).length !== 1) return undefined;
  const keys = Object.keys(selector.matchLabels);
  return keys.length === 1 ? selector.matchLabels[NAMESPACE_NAME_LABEL] || undefined : undefined;
}

const remembersVersion = ({ customVersion, label }: Remainder): boolean =>
  customVersion !== undefined || label !== undefined;

/** The custom version label that v1alpha1 shows for what v1beta1 says. */
const labelShowing = ({ customVersion, label }: Remainder): string | undefined => customVersion || label;

/** An annotation that somebody garbled says nothing, and is carried along as any other. */
function readRemainder({ annotations }: ObjectMeta): Remainder | undefined {
  const text = annotations?.[SIDESTEP.conversion];
  if (text === undefined) return undefined;
  try {
    return Remainder.parse(parseJsonText(text));
  } catch {
    return undefined;
  }
}

/** Labels or annotations: clients do send null. */
type MaybeMap = Record<string, string> | null | undefined;

/** @param label the custom version label, which is all that versions differ by in the labels; none if undefined */
function withMeta(
  metadata: ObjectMeta,
  label: string | undefined,
  kept: Remainder | undefined,
  lost: Remainder,
): ObjectMeta {
  const { labels, annotations }: { labels?: MaybeMap; annotations?: MaybeMap } = metadata;
  if (label !== undefined && isEmptyMap(labels)) lost.labels = labels;
  const isLossy = Object.keys(lost).length > 0;
  if (isLossy && isEmptyMap(annotations)) lost.annotations = annotations;
  const own = kept === undefined ? annotations?.[SIDESTEP.conversion] : undefined;
  const result = { ...metadata };
  setMap(result, 'labels', withEntry(labels, KRUISE.customVersion, label, kept?.labels));
  const remainder = isLossy ? jsonText(lost) : own;
  setMap(result, 'annotations', withEntry(annotations, SIDESTEP.conversion, remainder, kept?.annotations));
  return result;
}

const isEmptyMap = (map: MaybeMap): map is Record<string, never> | null =>
  map === null || (map !== undefined && Object.keys(map).length === 0);

/** The map with one key set or taken out. Where that changes nothing it is the same map, even null or none. */
function withEntry(map: MaybeMap, key: string, value: string | undefined, whenEmpty: MaybeMap): MaybeMap {
  if (map?.[key] === value) return map;
  if (value !== undefined) return { ...map, [key]: value };
  const { [key]: _, ...rest } = map ?? {};
  return Object.keys(rest).length > 0 ? rest : whenEmpty;
}

function setMap(metadata: ObjectMeta, field: 'labels' | 'annotations', map: MaybeMap): void {
  if (map === undefined) delete metadata[field];
  else Object.assign(metadata, { [field]: map });
}
