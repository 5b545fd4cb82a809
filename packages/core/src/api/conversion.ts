import { z } from 'zod';
import { SidestepError } from './errors.js';
import { KRUISE, SIDESTEP } from './keys.js';
import type { LabelSelector, ObjectMeta } from './kubernetes.js';
import { NAMESPACE_NAME_LABEL } from './selectors.js';
import type { SidecarSet, SidecarSetSpec } from './sidecarset.js';
import { API_V1ALPHA1, API_V1BETA1 } from './versions.js';

/** `spec` as v1alpha1 has it. */
export interface SidecarSetSpecV1alpha1 extends SidecarSetSpec {
  namespace?: string;
}

/** Thrown by {@link convertSidecarSet} for a version that is not served. */
export class ConversionError extends SidestepError {
  constructor(from: unknown, to: string) {
    super(
      'CONVERSION_UNSUPPORTED',
      `cannot convert a SidecarSet from ${JSON.stringify(from) ?? 'no version'} to ${to}`,
      {
        hint: `Use ${API_V1ALPHA1} or ${API_V1BETA1}.`,
      },
    );
  }
}

/**
 * What the other version cannot say, kept in an annotation of the converted object; written only where something would be lost.
 */
const Remainder = z.object({
  /** v1alpha1 had a namespaceSelector beside its namespace, which wins. */
  namespaceSelector: z.record(z.string(), z.unknown()).optional(),
  /** v1alpha1 named the one namespace by a selector, not by `spec.namespace`. */
  bySelector: z.literal(true).optional(),
  /** v1beta1 had the custom version label as a label of its own. */
  label: z.string().optional(),
  /** ... and no custom version. */
  labelOnly: z.literal(true).optional(),
});
type Remainder = z.infer<typeof Remainder>;

/**
 * The same SidecarSet in another version of the API (`apps.kruise.io/v1alpha1` or `apps.kruise.io/v1beta1`), losing nothing: a
 * set that is converted there and back is the same again. Unlike OpenKruise 1.9 it gives `spec.namespace` back, and it keeps a
 * namespaceSelector that v1alpha1 has beside a namespace. The input is left alone. Throws {@link ConversionError}.
 */
export function convertSidecarSet(set: SidecarSet, apiVersion: string): SidecarSet {
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
    if (spec.namespaceSelector !== undefined) lost.namespaceSelector = spec.namespaceSelector;
    spec.namespaceSelector = { matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } };
  } else if (namespaceOf(spec.namespaceSelector) !== undefined) {
    lost.bySelector = true;
  }
  const { [KRUISE.customVersion]: version, ...labels } = set.metadata.labels ?? {};
  const isPlainLabel = kept?.labelOnly === true && kept.label === version;
  if (version !== undefined && !isPlainLabel) spec.customVersion = version;
  if (kept?.label !== undefined) labels[KRUISE.customVersion] = kept.label;
  return { ...set, apiVersion: API_V1BETA1, metadata: withMeta(set.metadata, labels, kept, lost), spec };
}

function toV1alpha1(set: SidecarSet): SidecarSet {
  const { customVersion, ...rest } = set.spec;
  const spec: SidecarSetSpecV1alpha1 = rest;
  const kept = readRemainder(set.metadata);
  const lost: Remainder = {};
  const namespace = namespaceOf(spec.namespaceSelector);
  if (namespace !== undefined && kept?.bySelector !== true) {
    spec.namespace = namespace;
    if (kept?.namespaceSelector === undefined) delete spec.namespaceSelector;
    else spec.namespaceSelector = kept.namespaceSelector;
  }
  const labels = { ...set.metadata.labels };
  const label = labels[KRUISE.customVersion];
  if (label !== undefined) Object.assign(lost, { label }, customVersion ? {} : { labelOnly: true });
  if (customVersion) labels[KRUISE.customVersion] = customVersion;
  return { ...set, apiVersion: API_V1ALPHA1, metadata: withMeta(set.metadata, labels, kept, lost), spec };
}

/** The one namespace of a selector that says nothing but its name. */
function namespaceOf(selector: LabelSelector | undefined): string | undefined {
  if (selector?.matchLabels === undefined || selector.matchExpressions !== undefined) return undefined;
  const keys = Object.keys(selector.matchLabels);
  return keys.length === 1 ? selector.matchLabels[NAMESPACE_NAME_LABEL] || undefined : undefined;
}

/** An annotation that somebody garbled says nothing, and is carried along as any other. */
function readRemainder({ annotations }: ObjectMeta): Remainder | undefined {
  const text = annotations?.[SIDESTEP.conversion];
  if (text === undefined) return undefined;
  try {
    return Remainder.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function withMeta(
  metadata: ObjectMeta,
  labels: Record<string, string>,
  kept: Remainder | undefined,
  lost: Remainder,
): ObjectMeta {
  const annotations = { ...metadata.annotations };
  if (kept !== undefined) delete annotations[SIDESTEP.conversion];
  if (Object.keys(lost).length > 0) annotations[SIDESTEP.conversion] = JSON.stringify(lost);
  const result = { ...metadata, labels, annotations };
  if (Object.keys(labels).length === 0) delete (result as ObjectMeta).labels;
  if (Object.keys(annotations).length === 0) delete (result as ObjectMeta).annotations;
  return result;
}
