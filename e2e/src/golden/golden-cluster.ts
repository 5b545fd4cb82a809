import {
  type ControllerRevision,
  convertSidecarSet,
  decideRevisions,
  decideRollout,
  defaultSidecarSet,
  type InjectionInput,
  InjectionRefused,
  injectPod,
  KRUISE,
  lookupOf,
  type OpenObject,
  type Pod,
  readSidecarSet,
  type SidecarSet,
  SidecarSetDecodeError,
  SidecarSetIndex,
  withHashes,
} from '@sidestep/core';
import { differences } from './compare.js';
import type { AdmissionCase, ExpectedWrite, RecordedRevision } from './golden-case.js';
import { refusalByServer, refusalByWebhook, type WriteRefusal } from './server-validation.js';

const API_V1ALPHA1 = 'apps.kruise.io/v1alpha1';
const API_V1BETA1 = 'apps.kruise.io/v1beta1';
const NAMESPACE = 'kruise-system';
/** No answer may depend on when it is asked for. */
const NOW = new Date('2026-11-22T13:00:00Z');

/** What came of writing a SidecarSet. */
export type WriteAnswer = { status: number; stored: SidecarSet; revisions: ControllerRevision[] } | WriteRefusal;

/** What came of admitting a pod. */
export type PodAnswer = { allowed: true; patched: Pod } | { allowed: false; status: { message: string; code: number } };

/** A pod on its way into the webhook. */
export interface PodRequest {
  namespace: string;
  object: Pod;
  uid?: string;
}

/** A change to the SidecarSets that the cluster holds; those it has nothing for are left out. */
export type SetChange = (set: SidecarSet) => SidecarSet | undefined;

/**
 * An API server in memory with Sidestep's webhooks and the revision part of its controller: just what the recorded cases speak
 * of, and nothing of it asynchronous.
 */
export class GoldenCluster {
  private readonly sets = new Map<string, SidecarSet>();
  private revisions: ControllerRevision[] = [];

  constructor(private readonly extraObjects: NonNullable<AdmissionCase['extraObjects']> = []) {}

  /** The same cluster, which goes its own way from here. */
  copy(): GoldenCluster {
    const copy = new GoldenCluster(this.extraObjects);
    for (const [name, set] of this.sets) copy.sets.set(name, set);
    copy.revisions = [...this.revisions];
    return copy;
  }

  /** Forgets SidecarSets; their revisions stay. */
  without(names: readonly string[]): GoldenCluster {
    const copy = this.copy();
    for (const name of names) copy.sets.delete(name);
    return copy;
  }

  /** Takes over what OpenKruise stored, where only OpenKruise took the SidecarSet. */
  adopt({ stored, controllerRevisions = [] }: ExpectedWrite): void {
    const set = stored?.v1beta1;
    if (set === undefined) return;
    const name = set.metadata.name ?? '';
    this.sets.set(name, { ...set, metadata: { ...set.metadata, uid: uidOf(name) } });
    const others = this.revisions.filter(({ metadata }) => ownerOf(metadata) !== name);
    this.revisions = [...others, ...controllerRevisions.map((revision) => adopted(revision, name))];
  }

  write(posted: SidecarSet): WriteAnswer {
    const name = posted.metadata.name ?? '';
    const old = this.sets.get(name);
    const others = [...this.sets.values()].filter((set) => set !== old);
    const context = { old, others, revisions: this.revisions, configuration: this.configuration() };
    const mutated = mutate(old === undefined ? posted : onto(convertSidecarSet(old, posted.apiVersion ?? ''), posted));
    if ('refusal' in mutated) return mutated.refusal;
    const stored = convertSidecarSet(mutated.set, API_V1BETA1);
    const refusal = refusalByServer(mutated.set) ?? refusalByWebhook(stored, context);
    if (refusal !== undefined) return refusal;
    const reconciled = this.reconcile(withServerFields(stored, old));
    this.sets.set(name, reconciled);
    return { status: old === undefined ? 201 : 200, stored: reconciled, revisions: this.revisionsOf(name) };
  }

  /** Answers the request as the cluster stands, or as it would with other SidecarSets; it stays as it is. */
  admit({ namespace, object, uid }: PodRequest, change: SetChange = (set) => set): PodAnswer {
    const sets = [...this.sets.values()].flatMap((set) => change(set) ?? []);
    const namespaceLabels = this.namespaceLabels(namespace);
    const input: InjectionInput = {
      pod: object,
      namespace,
      namespaceLabels,
      sidecarSets: new SidecarSetIndex(sets),
      revisions: lookupOf(this.revisions),
      now: NOW,
      ...(uid === undefined ? {} : { requestUid: uid }),
    };
    try {
      return { allowed: true, patched: injectPod(input).pod };
    } catch (error) {
      if (!(error instanceof InjectionRefused)) throw error;
      return { allowed: false, status: { message: error.message, code: 422 } };
    }
  }

  served(stored: SidecarSet): { v1beta1: SidecarSet; v1alpha1: SidecarSet } {
    return { v1beta1: stored, v1alpha1: convertSidecarSet(stored, API_V1ALPHA1) };
  }

  private reconcile(set: SidecarSet): SidecarSet {
    const existing = this.revisionsOf(set.metadata.name ?? '');
    const decision = decideRevisions({ set, existing, inUse: new Set(), namespace: NAMESPACE });
    const gone = new Set([...decision.remove, decision.update].map((revision) => revision?.metadata.name));
    this.revisions = this.revisions.filter((revision) => !gone.has(revision.metadata.name));
    const written = decision.create ?? decision.update;
    if (written !== undefined) this.revisions.push(written);
    const subject = {
      sidecarSet: set,
      revisions: this.revisionsOf(set.metadata.name ?? ''),
      latestRevision: decision.latest.metadata.name ?? '',
      collisionCount: decision.collisionCount,
    };
    return { ...set, status: decideRollout(subject, [], NOW).status };
  }

  private revisionsOf(name: string): ControllerRevision[] {
    return this.revisions.filter(({ metadata }) => ownerOf(metadata) === name).sort((a, b) => a.revision - b.revision);
  }

  /** The labels of a namespace of the cluster. */
  namespaceLabels(name: string): Record<string, string> {
    const found = this.extraObjects.find(({ kind, metadata }) => kind === 'Namespace' && metadata.name === name);
    return { 'kubernetes.io/metadata.name': name, ...found?.metadata.labels };
  }

  private configuration(): Record<string, string> | undefined {
    const isWhitelist = ({ kind, metadata }: (typeof this.extraObjects)[number]) =>
      kind === 'ConfigMap' && metadata.name === KRUISE.whitelistConfigMap;
    return this.extraObjects.find(isWhitelist)?.data;
  }
}

/** The same one in every replay. */
export const uidOf = (name: string): string => `uid-of-${name}`;

const ownerOf = ({ labels }: ControllerRevision['metadata']): string | undefined =>
  labels?.[KRUISE.revisionSidecarSetName];

function adopted({ revision, data, ...metadata }: RecordedRevision, owner: string): ControllerRevision {
  const ownerReferences = (metadata.ownerReferences ?? []).map((reference) => ({ ...reference, uid: uidOf(owner) }));
  return { metadata: { ...metadata, ownerReferences }, revision, data } as ControllerRevision;
}

/** What the mutating webhook makes of a request. */
function mutate(object: SidecarSet): { set: SidecarSet } | { refusal: WriteRefusal } {
  try {
    return { set: withHashes(defaultSidecarSet(readSidecarSet(object))) };
  } catch (error) {
    if (!(error instanceof SidecarSetDecodeError)) throw error;
    return { refusal: { status: 400, message: error.message } };
  }
}

/** An update as the recording tool sends it: the new spec, with the metadata of the object that it read. */
function onto(live: SidecarSet, posted: SidecarSet): SidecarSet {
  const { labels, annotations } = live.metadata;
  const metadata = {
    ...live.metadata,
    ...posted.metadata,
    ...(labels || posted.metadata.labels ? { labels: { ...labels, ...posted.metadata.labels } } : {}),
    ...(annotations ? { annotations: { ...annotations, ...posted.metadata.annotations } } : {}),
  };
  return { ...posted, metadata };
}

function withServerFields(set: SidecarSet, old: SidecarSet | undefined): SidecarSet {
  const uid = uidOf(set.metadata.name ?? '');
  const isSame = old !== undefined && differences(old.spec, set.spec).length === 0;
  const generation = (old?.metadata.generation ?? 0) + (isSame ? 0 : 1);
  const status = (old as OpenObject | undefined)?.status as SidecarSet['status'];
  return { ...set, metadata: { ...set.metadata, uid, generation }, ...(status ? { status } : {}) };
}
