import { SidestepError } from '../api/errors.js';
import { KRUISE } from '../api/keys.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import { isRecord } from '../api/schema/go-json.js';
import type { SidecarSet, SidecarSetSpec } from '../api/sidecarset.js';
import { RECORDED_FIELDS } from './revision-data.js';

/** Thrown by {@link restoreRevision} for a ControllerRevision that records no SidecarSet spec. */
export class RevisionDataError extends SidestepError {
  constructor(name: string) {
    super('REVISION_DATA_INVALID', `ControllerRevision ${name} does not record the spec of a SidecarSet`, {
      hint: 'Delete the ControllerRevision; the next change of the SidecarSet makes a new one.',
    });
  }
}

/**
 * The SidecarSet as it was at a revision: the recorded fields of its spec, the revision's hashes and custom version, and its
 * name in `status.latestRevision`. Selectors and strategies are not recorded and stay as they are now. The inputs are left
 * alone, and the result shares the revision's data. Throws {@link RevisionDataError}.
 */
export function restoreRevision(set: SidecarSet, revision: ControllerRevision): SidecarSet {
  const name = revision.metadata.name ?? '';
  const recorded = isRecord(revision.data) ? revision.data.spec : undefined;
  if (!isRecord(recorded)) throw new RevisionDataError(name);
  const spec: SidecarSetSpec = { ...set.spec };
  delete spec.customVersion;
  for (const field of RECORDED_FIELDS) {
    delete spec[field];
    if (Array.isArray(recorded[field])) spec[field] = recorded[field] as never;
  }
  const customVersion = revision.metadata.labels?.[KRUISE.customVersion];
  if (customVersion !== undefined) spec.customVersion = customVersion;
  const status = { matchedPods: 0, updatedPods: 0, readyPods: 0, ...set.status, latestRevision: name };
  return { ...set, metadata: { ...set.metadata, annotations: restoredAnnotations(set, revision) }, spec, status };
}

function restoredAnnotations(set: SidecarSet, { metadata }: ControllerRevision): Record<string, string> {
  const annotations = { ...set.metadata.annotations };
  for (const key of [KRUISE.hash, KRUISE.hashWithoutImage]) {
    const recorded = metadata.annotations?.[key];
    if (recorded !== undefined) annotations[key] = recorded;
  }
  return annotations;
}
