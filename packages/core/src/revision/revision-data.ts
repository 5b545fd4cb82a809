import { genericJson, goRoundTrip, isRecord, knownFields } from '../api/schema/go-json.js';
import { list } from '../api/schema/shape.js';
import { SIDECAR_CONTAINERS } from '../api/schema/sidecar-container-types.js';
import { PATCH_POD_METADATA_LIST, SECRET_LIST } from '../api/schema/sidecarset-types.js';
import { VOLUME } from '../api/schema/volume-types.js';
import type { SidecarSetSpec } from '../api/sidecarset.js';
import { safeEncode } from './safe-encode.js';

/** The fields of a spec that a revision records; selectors and strategies are not history. */
const RECORDED = {
  containers: SIDECAR_CONTAINERS,
  imagePullSecrets: SECRET_LIST,
  initContainers: SIDECAR_CONTAINERS,
  patchPodMetadata: PATCH_POD_METADATA_LIST,
  volumes: list(VOLUME),
} as const;

type RecordedField = keyof typeof RECORDED;

export const RECORDED_FIELDS = Object.keys(RECORDED) as RecordedField[];

/** `data` of a ControllerRevision: a patch that replaces the spec by the recorded fields, absent ones being `null`. */
export interface RevisionData {
  spec: { $patch: 'replace' } & Record<RecordedField, unknown>;
}

/** What a revision of this spec records. The spec must carry its defaults. */
export function revisionData(spec: SidecarSetSpec): RevisionData {
  const recorded = RECORDED_FIELDS.map((name) => [name, recordedValue(name, spec[name])]);
  return { spec: { $patch: 'replace', ...Object.fromEntries(recorded) } };
}

function recordedValue(name: RecordedField, value: unknown): unknown {
  return Array.isArray(value) && value.length > 0 ? goRoundTrip(RECORDED[name], value) : null;
}

/**
 * The suffix of a revision's name: Kubernetes' hash of the data's bytes and the number of collisions so far. Fields that
 * OpenKruise does not know are left out, so that the name is the one it would give.
 */
export function revisionNameHash(data: RevisionData, collisionCount: number): string {
  const spec: Record<string, unknown> = { ...data.spec };
  for (const name of RECORDED_FIELDS) {
    if (spec[name] !== null) spec[name] = knownFields(RECORDED[name], spec[name]);
  }
  return safeEncode(String(fnv1(`${genericJson(asDoubles({ spec }))}${collisionCount}`)));
}

/** The value after OpenKruise has read it into Go's `interface{}`, where numbers are doubles; the data keep their digits. */
function asDoubles(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(asDoubles);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, asDoubles(each)]));
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** 32-bit FNV-1 of the UTF-8 bytes. */
function fnv1(text: string): number {
  let hash = FNV_OFFSET;
  for (const byte of new TextEncoder().encode(text)) hash = (Math.imul(hash, FNV_PRIME) ^ byte) >>> 0;
  return hash;
}
