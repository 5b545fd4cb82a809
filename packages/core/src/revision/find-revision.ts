import { KRUISE } from '../api/keys.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { byAge } from './revision-order.js';

/**
 * Whether a revision belongs to this SidecarSet: the label names it and the controlling owner, if the set has a uid yet, is it.
 * OpenKruise does not check this and injects the revision of another set if its name is given.
 */
export function isRevisionOf(set: SidecarSet, { metadata }: ControllerRevision): boolean {
  if (metadata.labels?.[KRUISE.revisionSidecarSetName] !== set.metadata.name) return false;
  const owner = metadata.ownerReferences?.find((reference) => reference.controller === true);
  return owner === undefined || set.metadata.uid === undefined || owner.uid === set.metadata.uid;
}

/** Finds the revision that `injectionStrategy.revision` asks for: by name, or the newest with the custom version. */
export function findPinnedRevision(
  set: SidecarSet,
  revisions: readonly ControllerRevision[],
): ControllerRevision | undefined {
  const { revisionName, customVersion } = set.spec.injectionStrategy?.revision ?? {};
  const own = revisions.filter((revision) => isRevisionOf(set, revision));
  if (revisionName !== undefined) return own.find((revision) => revision.metadata.name === revisionName);
  if (customVersion === undefined) return undefined;
  return own
    .filter((revision) => revision.metadata.labels?.[KRUISE.customVersion] === customVersion)
    .sort(byAge)
    .at(-1);
}
