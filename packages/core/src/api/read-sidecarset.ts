import { SidestepError } from './errors.js';
import { jsonText } from './json-text.js';
import type { ObjectMeta } from './kubernetes.js';
import { decodeError } from './schema/decode-error.js';
import { isRecord } from './schema/go-json.js';
import { SIDECARSET } from './schema/sidecarset-types.js';
import type { SidecarSet } from './sidecarset.js';
import { API_V1ALPHA1, API_V1BETA1 } from './versions.js';

/** Thrown by {@link readSidecarSet}: the object is no SidecarSet at all. Answer it with HTTP 400. */
export class SidecarSetDecodeError extends SidestepError {
  constructor(problem: string) {
    super('SIDECARSET_UNREADABLE', problem, {
      hint: 'Compare the manifest with kubectl explain sidecarset.spec --recursive.',
    });
  }
}

const MAX_DEPTH = 1000;

/**
 * Takes an object of unknown making for a SidecarSet of either version, after checking the type of every known field, so that no
 * later rule meets a number where it expects a list. Throws {@link SidecarSetDecodeError} with Go's message.
 */
export function readSidecarSet(object: unknown): SidecarSet {
  if (!isRecord(object)) throw new SidecarSetDecodeError('the object is missing');
  const { apiVersion, kind } = object;
  if (kind !== 'SidecarSet' || (apiVersion !== API_V1ALPHA1 && apiVersion !== API_V1BETA1)) {
    const found = `${jsonText(apiVersion) ?? 'none'}, kind ${jsonText(kind) ?? 'none'}`;
    throw new SidecarSetDecodeError(
      `expected a SidecarSet of ${API_V1ALPHA1} or ${API_V1BETA1}, got apiVersion ${found}`,
    );
  }
  if (isTooDeep(object)) throw new SidecarSetDecodeError('exceeded max depth');
  const version = apiVersion === API_V1ALPHA1 ? 'v1alpha1' : 'v1beta1';
  const problem = decodeError(SIDECARSET[version], object, version);
  if (problem !== undefined) throw new SidecarSetDecodeError(problem);
  return { ...object, metadata: withoutNulls(object.metadata), spec: object.spec ?? {} } as SidecarSet;
}

/** In Go, null is as good as absent. */
function withoutNulls(metadata: unknown): ObjectMeta {
  if (!isRecord(metadata)) return {};
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null));
}

/** Looks level by level, since a hostile object could exhaust the stack of anything recursive. */
function isTooDeep(object: object): boolean {
  let level: object[] = [object];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    level = level.flatMap((each) => Object.values(each).filter((value) => typeof value === 'object' && value !== null));
  }
  return false;
}
