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

/** Reads ControllerRevisions that are already in memory. */
export interface RevisionLookup {
  /** The revision of this name in Sidestep's namespace. */
  byName(name: string): ControllerRevision | undefined;
  /** The newest revision of the SidecarSet that carries the label `apps.kruise.io/sidecarset-custom-version=version`. */
  byCustomVersion(sidecarSet: string, version: string): ControllerRevision | undefined;
}

/** A lookup in a list. */
export function lookupOf(revisions: readonly ControllerRevision[]): RevisionLookup {
  return {
    byName: (name) => revisions.find(({ metadata }) => metadata.name === name),
    byCustomVersion: (sidecarSet, version) =>
      revisions
        .filter(({ metadata: { labels } }) => labels?.[KRUISE.revisionSidecarSetName] === sidecarSet)
        .filter(({ metadata: { labels } }) => labels?.[KRUISE.customVersion] === version)
        .sort(byAge)
        .at(-1),
  };
}

/** The revision that `injectionStrategy.revision` asks for: by name, or the newest with the custom version; only the set's own. */
export function findPinnedRevision(set: SidecarSet, revisions: RevisionLookup): ControllerRevision | undefined {
  const { revisionName, customVersion } = set.spec.injectionStrategy?.revision ?? {};
  const found =
    revisionName !== undefined
      ? revisions.byName(revisionName)
      : customVersion !== undefined
        ? revisions.byCustomVersion(set.metadata.name ?? '', customVersion)
        : undefined;
  return found !== undefined && isRevisionOf(set, found) ? found : undefined;
}
