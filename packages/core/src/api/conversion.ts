import { type Remainder, readRemainder, withoutRemainder, withRemainder } from './conversion-remainder.js';
import { SidestepError } from './errors.js';
import { jsonText } from './json-text.js';
import { KRUISE, SIDESTEP } from './keys.js';
import type { LabelSelector } from './kubernetes.js';
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

/**
 * The same SidecarSet in another version of the API (`apps.kruise.io/v1alpha1` or `apps.kruise.io/v1beta1`), losing nothing: a
 * set that is converted there and back is the same again. Unlike OpenKruise 1.9 it gives `spec.namespace` back, and it keeps a
 * namespaceSelector that v1alpha1 has beside a namespace. The input is left alone. Throws {@link ConversionError}, and
 * {@link SidecarSetDecodeError} for a `spec` that is no object.
 */
export function convertSidecarSet(set: SidecarSet, apiVersion: string): SidecarSet {
  if (!isRecord(set.spec)) throw new SidecarSetDecodeError('spec of a SidecarSet must be an object');
  if (set.apiVersion === apiVersion) return set;
  if (!isServed(set.apiVersion) || !isServed(apiVersion)) throw new ConversionError(set.apiVersion, apiVersion);
  const kept = remainderOf(set);
  return kept === undefined ? converted(set) : restored(set, kept);
}

const isServed = (version: string | undefined): boolean => version === API_V1ALPHA1 || version === API_V1BETA1;

/**
 * What was left over when the set was converted to what it is. It is believed only where converting what it tells of gives this
 * very set: a change made through either version wins over what was remembered, and what a user wrote under our key is theirs.
 */
function remainderOf(set: SidecarSet): Remainder | undefined {
  const kept = readRemainder(set.metadata.annotations?.[SIDESTEP.conversion]);
  if (kept === undefined) return undefined;
  const before = restored(set, kept);
  if (remainderOf(before) !== undefined) return undefined;
  return isSame(converted(before), set) ? kept : undefined;
}

/** The set in the other version, which it was never in. */
const converted = (set: SidecarSet): SidecarSet => (set.apiVersion === API_V1ALPHA1 ? toV1beta1(set) : toV1alpha1(set));

/** The set that {@link converted} made this one of. */
const restored = (set: SidecarSet, kept: Remainder): SidecarSet =>
  set.apiVersion === API_V1ALPHA1 ? backToV1beta1(set, kept) : backToV1alpha1(set, kept);

function toV1beta1(set: SidecarSet): SidecarSet {
  const { namespace, ...spec } = set.spec as SidecarSetSpecV1alpha1;
  const lost: Remainder = {};
  if (namespace) {
    if (spec.namespaceSelector !== undefined)
      Object.assign(lost, { namespace, namespaceSelector: spec.namespaceSelector });
    spec.namespaceSelector = byName(namespace);
  } else {
    if (namespace !== undefined) lost.namespace = namespace;
    if (namespaceOf(spec.namespaceSelector) !== undefined) lost.bySelector = true;
  }
  const shown = set.metadata.labels?.[KRUISE.customVersion];
  if (shown) Object.assign(spec, { customVersion: shown });
  if (shown === '') lost.emptyLabel = true;
  return { ...set, apiVersion: API_V1BETA1, metadata: withRemainder(set.metadata, undefined, lost), spec };
}

function backToV1alpha1(set: SidecarSet, kept: Remainder): SidecarSet {
  const { customVersion, ...rest } = set.spec;
  const spec: SidecarSetSpecV1alpha1 = rest;
  const namespace = namespaceOf(spec.namespaceSelector);
  if (kept.namespace) {
    Object.assign(spec, { namespace: kept.namespace, namespaceSelector: kept.namespaceSelector });
  } else if (kept.namespace !== undefined) {
    Object.assign(spec, { namespace: kept.namespace });
  } else if (namespace !== undefined && kept.bySelector !== true) {
    spec.namespace = namespace;
    delete spec.namespaceSelector;
  }
  const label = kept.emptyLabel ? '' : customVersion;
  return { ...set, apiVersion: API_V1ALPHA1, metadata: withoutRemainder(set.metadata, label, kept), spec };
}

function toV1alpha1(set: SidecarSet): SidecarSet {
  const { customVersion, ...rest } = set.spec;
  const spec: SidecarSetSpecV1alpha1 = rest;
  const lost: Remainder = {};
  const namespace = namespaceOf(spec.namespaceSelector);
  if (namespace !== undefined) {
    spec.namespace = namespace;
    delete spec.namespaceSelector;
  }
  const label = set.metadata.labels?.[KRUISE.customVersion];
  if (label !== undefined) lost.label = label;
  if (customVersion !== undefined && (label !== undefined || !customVersion)) lost.customVersion = customVersion;
  const metadata = withRemainder(set.metadata, customVersion || label, lost);
  return { ...set, apiVersion: API_V1ALPHA1, metadata, spec };
}

function backToV1beta1(set: SidecarSet, kept: Remainder): SidecarSet {
  const { namespace, ...spec } = set.spec as SidecarSetSpecV1alpha1;
  if (namespace) spec.namespaceSelector = byName(namespace);
  const isKept = kept.label !== undefined || kept.customVersion !== undefined;
  const customVersion = isKept ? kept.customVersion : set.metadata.labels?.[KRUISE.customVersion];
  if (customVersion !== undefined) Object.assign(spec, { customVersion });
  return { ...set, apiVersion: API_V1BETA1, metadata: withoutRemainder(set.metadata, kept.label, kept), spec };
}

const byName = (namespace: string): LabelSelector => ({ matchLabels: { [NAMESPACE_NAME_LABEL]: namespace } });

/** The one namespace of a selector that says nothing but its name. */
function namespaceOf(selector: LabelSelector | undefined): string | undefined {
  if (!isRecord(selector?.matchLabels) || Object.keys(selector).length !== 1) return undefined;
  const keys = Object.keys(selector.matchLabels);
  return keys.length === 1 ? selector.matchLabels[NAMESPACE_NAME_LABEL] || undefined : undefined;
}

/** Whether two sets are the same JSON; what conversion does not touch is the same object in both. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isRecord(a) || !isRecord(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((each, at) => isSame(each, b[at]));
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}
