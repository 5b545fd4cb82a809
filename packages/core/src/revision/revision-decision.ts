import { KRUISE } from '../api/keys.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import { genericJson } from '../api/schema/go-json.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { customVersionOf } from '../api/versions.js';
import { isRevisionOf } from './find-revision.js';
import { newRevision, revisionName } from './new-revision.js';
import { revisionData, revisionNameHash } from './revision-data.js';
import { byAge } from './revision-order.js';

/** What {@link decideRevisions} looks at. */
export interface RevisionSnapshot {
  /** The SidecarSet as stored: with defaults, hashes, uid and status. */
  set: SidecarSet;
  /** Every ControllerRevision that bears the set's name in its label; those of another owner are ignored. */
  existing: readonly ControllerRevision[];
  /** Names of revisions that pods run or that someone else still needs. */
  inUse: ReadonlySet<string>;
  /** The namespace of the revisions: Sidestep's own. */
  namespace: string;
  /** Names that creating met with AlreadyExists although `existing` does not have them. */
  taken?: ReadonlySet<string>;
}

/** What to write so that the set's spec has its revision, in this order: create or update, then delete. */
export interface RevisionDecision {
  /** The revision that records the spec as it is now, as it will be after the writes. */
  latest: ControllerRevision;
  /** Set when `latest` is new. */
  create?: ControllerRevision;
  /** Set when an existing revision gets another number (the spec went back to it) or another custom version. */
  update?: ControllerRevision;
  /** Revisions over the limit that nobody uses, oldest first. */
  remove: ControllerRevision[];
  /** For `status.collisionCount`. */
  collisionCount: number;
}

const DEFAULT_HISTORY_LIMIT = 10;

/**
 * Finds, makes or renumbers the revision of a SidecarSet's spec, and tells which old ones go.
 * Rules of OpenKruise 1.9: equal data is the same revision, whatever its number; going back makes the old one the newest.
 */
export function decideRevisions(snapshot: RevisionSnapshot): RevisionDecision {
  const { set } = snapshot;
  const existing = snapshot.existing.filter((revision) => isRevisionOf(set, revision)).sort(byAge);
  const wanted = genericJson(revisionData(set.spec));
  const equal = existing.findLast((revision) => genericJson(revision.data) === wanted);
  const collisionCount = set.status?.collisionCount ?? 0;
  if (equal === undefined) return created(snapshot, existing, collisionCount);
  const newest = existing.at(-1)?.revision ?? 0;
  const latest = withCustomVersion(set, equal.revision === newest ? equal : { ...equal, revision: newest + 1 });
  const others = existing.filter((revision) => revision !== equal);
  return {
    latest,
    ...(latest === equal ? {} : { update: latest }),
    remove: surplus(snapshot, [...others, latest]),
    collisionCount,
  };
}

function created(snapshot: RevisionSnapshot, existing: ControllerRevision[], collisions: number): RevisionDecision {
  const { set, namespace, taken } = snapshot;
  const data = revisionData(set.spec);
  const names = new Set(snapshot.existing.map((revision) => revision.metadata.name));
  let collisionCount = collisions;
  let hash = revisionNameHash(data, collisionCount);
  while (names.has(revisionName(set, hash)) || taken?.has(revisionName(set, hash))) {
    collisionCount += 1;
    hash = revisionNameHash(data, collisionCount);
  }
  const number = (existing.at(-1)?.revision ?? 0) + 1;
  const create = newRevision({ set, namespace, data, hash, number });
  return { latest: create, create, remove: surplus(snapshot, [...existing, create]), collisionCount };
}

function withCustomVersion(set: SidecarSet, revision: ControllerRevision): ControllerRevision {
  const version = customVersionOf(set);
  if (version === undefined || revision.metadata.labels?.[KRUISE.customVersion] === version) return revision;
  const labels = { ...revision.metadata.labels, [KRUISE.customVersion]: version };
  return { ...revision, metadata: { ...revision.metadata, labels } };
}

/** `revisions` oldest first, ending with the one in force, which never goes. */
function surplus(snapshot: RevisionSnapshot, revisions: ControllerRevision[]): ControllerRevision[] {
  const limit = Math.max(1, snapshot.set.spec.revisionHistoryLimit ?? DEFAULT_HISTORY_LIMIT);
  const unused = revisions.slice(0, -1).filter((revision) => !isNeeded(snapshot, revision));
  return unused.slice(0, Math.max(0, revisions.length - limit));
}

function isNeeded({ set, inUse }: RevisionSnapshot, { metadata }: ControllerRevision): boolean {
  const name = metadata.name ?? '';
  const pinned = set.spec.injectionStrategy?.revision;
  return (
    inUse.has(name) ||
    name === set.status?.currentRevision ||
    name === pinned?.revisionName ||
    (pinned?.customVersion !== undefined && metadata.labels?.[KRUISE.customVersion] === pinned.customVersion)
  );
}
