import {
  type ControllerRevision,
  decideRevisions,
  diffJson,
  formatFieldError,
  isNativeSidecar,
  KRUISE,
  lookupOf,
  type SidecarSet,
  type SidecarSetSpec,
  sidecarSetWarnings,
  validateSidecarSet,
  type Whitelist,
} from '@sidestep/core';
import { type ChangeEffect, type FieldChange, fieldOf, hashedChanges, valueAt } from './container-changes.js';
import { previewRollout, type RolloutPreview } from './rollout-preview.js';
import type { RolloutSnapshot } from './snapshot.js';

/**
 * What a change comes to. `Refused`: the API server would not take it. `NoChange`. `New`. `InPlace`: running pods are upgraded.
 * `NewPodsOnly`: running pods stay as they are, for the change does not touch their containers. `Recreate`: it does, by more than
 * images, so only pods made anew get it.
 */
export type ChangeVerdict = 'Refused' | 'NoChange' | 'New' | 'InPlace' | 'NewPodsOnly' | 'Recreate';

export interface HashPair {
  hash: string;
  hashWithoutImage: string;
}

/** What changing a SidecarSet would do. */
export interface ChangeView {
  sidecarSet: string;
  verdict: ChangeVerdict;
  errors: string[];
  warnings: string[];
  before?: HashPair;
  after: HashPair;
  /** Names of the ControllerRevisions; `isNew`: the one afterwards does not exist yet. */
  revision?: { before: string | undefined; after: string; isNew: boolean };
  changes: FieldChange[];
  /** Left out where running pods are not concerned. */
  rollout?: RolloutPreview;
}

export interface ChangeInput {
  /** As stored; undefined for a new SidecarSet. Its pods and revisions are in the snapshot. */
  before: RolloutSnapshot | undefined;
  /** With defaults and hashes. */
  after: SidecarSet;
  /** All SidecarSets there will be. */
  others: readonly SidecarSet[];
  revisions: readonly ControllerRevision[];
  whitelist: Whitelist | undefined;
  systemNamespace: string;
  now: Date;
}

export function changeView(input: ChangeInput): ChangeView {
  const { before, others, whitelist } = input;
  const after = succeeding(before?.sidecarSet, input.after);
  const old = before?.sidecarSet;
  const lookup = lookupOf([...input.revisions, ...(before?.revisions ?? [])]);
  const problems = validateSidecarSet(after, { ...(old ? { old } : {}), others, revisions: lookup, whitelist });
  const errors = [...new Set(problems.map(formatFieldError))];
  const changes = old === undefined ? [] : allChanges(old, after);
  const view: ChangeView = {
    sidecarSet: after.metadata.name ?? '',
    verdict: errors.length > 0 ? 'Refused' : verdictOf(old, changes),
    errors,
    warnings: sidecarSetWarnings(after, others),
    ...(old === undefined ? {} : { before: hashesOf(old) }),
    after: hashesOf(after),
    changes,
  };
  if (before === undefined || errors.length > 0) return view;
  const decision = decideRevisions({
    set: after,
    existing: [...before.revisions],
    inUse: new Set(),
    namespace: input.systemNamespace,
  });
  const latest = decision.latest.metadata.name ?? '';
  view.revision = { before: old?.status?.latestRevision, after: latest, isNew: decision.create !== undefined };
  if (view.verdict === 'InPlace' || view.verdict === 'Recreate') {
    const revisions = [...before.revisions.filter(({ metadata }) => metadata.name !== latest), decision.latest];
    view.rollout = previewRollout({ ...before, sidecarSet: after, revisions }, latest, input.now);
  }
  return view;
}

/** The SidecarSet as the API server would store it over the old one: whoever applies a manifest leaves the rest alone. */
function succeeding(before: SidecarSet | undefined, after: SidecarSet): SidecarSet {
  if (before === undefined) return after;
  const { uid, resourceVersion, generation } = before.metadata;
  const metadata = {
    ...after.metadata,
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(generation === undefined ? {} : { generation: generation + 1 }),
    annotations: { ...before.metadata.annotations, ...after.metadata.annotations },
  };
  return { ...after, metadata, ...(before.status === undefined ? {} : { status: before.status }) };
}

const hashesOf = ({ metadata: { annotations } }: SidecarSet): HashPair => ({
  hash: annotations?.[KRUISE.hash] ?? '',
  hashWithoutImage: annotations?.[KRUISE.hashWithoutImage] ?? '',
});

function verdictOf(old: SidecarSet | undefined, changes: readonly FieldChange[]): ChangeVerdict {
  if (old === undefined) return 'New';
  if (changes.length === 0) return 'NoChange';
  if (changes.some(({ effect }) => effect === 'blocks')) return 'Recreate';
  return changes.some(({ effect }) => IN_PLACE.includes(effect)) ? 'InPlace' : 'NewPodsOnly';
}

const IN_PLACE: readonly ChangeEffect[] = ['hotUpgrade', 'coldUpgrade', 'emptyImage'];

/** What a field beside the containers is about; an unknown one is taken to be about new pods. */
const EFFECTS: Partial<Record<keyof SidecarSetSpec, ChangeEffect>> = {
  selector: 'selection',
  namespaceSelector: 'selection',
  updateStrategy: 'rollout',
  revisionHistoryLimit: 'history',
};

function allChanges(before: SidecarSet, after: SidecarSet): FieldChange[] {
  const hashed = new Set(['containers']);
  const native = [before, after].some(({ spec }) => spec.initContainers?.some(isNativeSidecar));
  if (native) hashed.add('initContainers');
  const fields = new Set([...Object.keys(before.spec), ...Object.keys(after.spec)]);
  const others = [...fields]
    .filter((field) => !hashed.has(field))
    .flatMap((field) => fieldChanges(field, before, after));
  return [...hashedChanges(before, after), ...others];
}

function fieldChanges(field: string, before: SidecarSet, after: SidecarSet): FieldChange[] {
  const effect = EFFECTS[field as keyof SidecarSetSpec] ?? 'newPods';
  const [old, wanted] = [{ [field]: before.spec[field] }, { [field]: after.spec[field] }];
  return diffJson(old, wanted).map(({ path }) => ({
    field: `spec${fieldOf(path)}`,
    before: valueAt(old, path),
    after: valueAt(wanted, path),
    effect,
  }));
}
