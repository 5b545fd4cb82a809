import {
  API_V1BETA1,
  type ControllerRevision,
  convertSidecarSet,
  decideRevisions,
  defaultSidecarSet,
  formatFieldError,
  KRUISE,
  lookupOf,
  readSidecarSet,
  type SidecarSet,
  SidecarSetDecodeError,
  validateSidecarSet,
  Whitelist,
  withHashes,
} from '@sidestep/core';
import { CliError } from '../errors.js';
import { type Manifest, onlyKinds } from './read-manifests.js';

/** Kinds that say something about SidecarSets: the sets, what `injectionStrategy.revision` pins, and the whitelist. */
export const SET_KINDS = ['SidecarSet', 'ControllerRevision', 'ConfigMap'] as const;

/** What the files of `-s` hold. */
export interface SetInputs {
  sets: SidecarSet[];
  revisions: ControllerRevision[];
  whitelist: Whitelist;
}

/** A SidecarSet of either version as an API server with Sidestep's webhooks would store it. */
export function asStored(object: unknown, where: string): SidecarSet {
  try {
    return withHashes(convertSidecarSet(defaultSidecarSet(readSidecarSet(object)), API_V1BETA1));
  } catch (error) {
    if (!(error instanceof SidecarSetDecodeError)) throw error;
    throw new CliError('INPUT_INVALID', `${where}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

/** Reads the manifests; a set that comes twice counts once, the later one. */
export function setInputsOf(manifests: readonly Manifest[], option: string): SetInputs {
  onlyKinds(manifests, option, SET_KINDS);
  const sets = new Map<string, SidecarSet>();
  const revisions: ControllerRevision[] = [];
  let whitelist: Whitelist | undefined;
  for (const { object, kind, where } of manifests) {
    if (kind === 'SidecarSet') {
      const set = asStored(object, where);
      sets.set(set.metadata.name ?? '', set);
    } else if (kind === 'ControllerRevision') revisions.push(revisionOf(object, where));
    else whitelist = Whitelist.parse(object.data as Record<string, string> | undefined) ?? whitelist;
  }
  return {
    sets: [...sets.values()].map((set) => withLatestRevision(set, revisions)),
    revisions,
    whitelist: whitelist ?? anyAnnotation(),
  };
}

/** The revision of the set as it is: one of those known, or the one that the planner would make. */
export function revisionOfSet(set: SidecarSet, existing: readonly ControllerRevision[]): ControllerRevision {
  return decideRevisions({ set, existing, inUse: new Set(), namespace: '' }).latest;
}

/** A set that no planner has seen yet gets the name that its revision will have, so that pods carry the same as in a cluster. */
function withLatestRevision(set: SidecarSet, existing: readonly ControllerRevision[]): SidecarSet {
  if (set.status?.latestRevision) return set;
  const status = { matchedPods: 0, updatedPods: 0, readyPods: 0, ...set.status };
  return { ...set, status: { ...status, latestRevision: revisionOfSet(set, existing).metadata.name ?? '' } };
}

/** Without the cluster's ConfigMap nobody knows what it allows, so nothing is held against the set. */
export function anyAnnotation(): Whitelist {
  const rules = JSON.stringify({ rules: [{ allowedAnnotationKeyExprs: ['.*'] }] });
  return Whitelist.parse({ [KRUISE.whitelistConfigMapKey]: rules }) as Whitelist;
}

function revisionOf(object: Record<string, unknown>, where: string): ControllerRevision {
  const { metadata, revision } = object;
  if (typeof metadata === 'object' && metadata !== null && typeof revision === 'number') {
    return object as unknown as ControllerRevision;
  }
  throw new CliError('INPUT_INVALID', `${where}: the ControllerRevision has no metadata or no revision number`, {
    hint: 'Take it from kubectl get controllerrevisions -n kruise-system -o yaml.',
  });
}

/** Refuses sets that an API server would refuse, with all that is wrong in them. */
export function refuseInvalid({ sets, revisions, whitelist }: SetInputs): void {
  const context = { others: sets, revisions: lookupOf(revisions), whitelist };
  const problems = sets.flatMap((set) => {
    const errors = new Set(validateSidecarSet(set, context).map(formatFieldError));
    return [...errors].map((message) => `  SidecarSet ${set.metadata.name}: ${message}`);
  });
  if (problems.length === 0) return;
  throw new CliError('SIDECARSET_INVALID', `the API server would refuse this:\n${problems.join('\n')}`, {
    hint: 'kubectl explain sidecarset.spec --recursive tells the fields.',
  });
}
