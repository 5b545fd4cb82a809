import {
  type ControllerRevision,
  isHotUpgrade,
  KRUISE,
  type Pod,
  type PodSummary,
  type PodUpgradeState,
  type ProjectedPod,
  rolloutTarget,
  type SidecarSet,
  type SidecarSetSpec,
  type SummaryContext,
  summarizePod,
  type UpgradePhase,
  upgradeTarget,
} from '@sidestep/core';
import { type PodGroup, podsLeftAlone } from './left-alone.js';
import type { RolloutSnapshot } from './snapshot.js';
import { type Verdict, verdictOf } from './verdict.js';

/** One pod of the tree. */
export interface PodView {
  namespace: string;
  name: string;
  state: PodUpgradeState;
  /** The phase that is due, `none` when nothing is. */
  phase: UpgradePhase | 'none';
  /** What serves: the images of the working sidecars. */
  images: string[];
  reason: string;
  message: string;
  ready: boolean;
  /** Seconds since the pod was made; absent where it does not say. */
  ageSeconds?: number;
}

/** One revision and the pods that run it, or are on the way to it. */
export interface RevisionView {
  /** Empty for pods whose revision is not known. */
  name: string;
  number?: number;
  images: string[];
  /** `latest`: what the spec says; `good`: what every pod ran well last; `failed`: given up by the failure policy. */
  marks: ('latest' | 'good' | 'failed')[];
  pods: PodView[];
}

/** A SidecarSet's rollout as a tree. */
export interface SidecarSetView {
  name: string;
  verdict: Verdict;
  matched: number;
  updated: number;
  ready: number;
  upgrading: number;
  failed: number;
  images: string[];
  /** `maxUnavailable 2, partition 50%`, ... */
  strategy: string;
  /** Canary steps: the one worked on, from 1, and how many there are. */
  step?: { current: number; of: number };
  revisions: RevisionView[];
  /** Pods that carry the SidecarSet and that its rollout is not for, by what leaves them alone. */
  leftAlone: PodGroup[];
}

/** The tree from the objects alone; pods stand where the control plane's own rules put them. */
export function sidecarSetView(snapshot: RolloutSnapshot, now: Date): SidecarSetView {
  const { sidecarSet, revisions } = snapshot;
  const { status, spec, metadata } = sidecarSet;
  const context = summaryContext(snapshot);
  const view: SidecarSetView = {
    name: metadata.name ?? '',
    verdict: verdictOf(sidecarSet),
    matched: status?.matchedPods ?? 0,
    updated: status?.updatedPods ?? 0,
    ready: status?.readyPods ?? 0,
    upgrading: status?.upgradingPods ?? 0,
    failed: status?.failedPods ?? 0,
    images: imagesOf(spec),
    strategy: strategyText(spec),
    revisions: revisionViews(sidecarSet, revisions, podsByRevision(snapshot, context, now)),
    leftAlone: podsLeftAlone(context, snapshot, now),
  };
  const of = spec.updateStrategy?.steps?.length ?? 0;
  if (of > 0) view.step = { current: Math.min((status?.currentStep ?? 0) + 1, of), of };
  return view;
}

/** What pods are held against, as the planner does it. */
export function summaryContext({ sidecarSet, revisions, namespaceLabels }: RolloutSnapshot): SummaryContext {
  const target = upgradeTarget(rolloutTarget(sidecarSet, revisions), revisions);
  const specHash = sidecarSet.metadata.annotations?.[KRUISE.hash] ?? target.hash;
  return { target, specHash, ...(namespaceLabels ? { namespaceLabels } : {}) };
}

function podsByRevision(snapshot: RolloutSnapshot, context: SummaryContext, now: Date): Map<string, PodView[]> {
  const groups = new Map<string, PodView[]>();
  for (const pod of snapshot.pods) {
    const summary = summarizePod(context, pod, now);
    if (!summary.matched && !summary.apart) continue;
    const revision = summary.controllerRevision ?? '';
    const group = groups.get(revision) ?? [];
    group.push(podView(pod, summary, context, now));
    groups.set(revision, group);
  }
  for (const pods of groups.values()) pods.sort((a, b) => rank(a) - rank(b) || compare(keyOf(a), keyOf(b)));
  return groups;
}

const keyOf = ({ namespace, name }: PodView): string => `${namespace}/${name}`;

/** What needs a look comes first: a long list is cut at its end. */
function rank({ state, ready, reason }: PodView): number {
  const order: PodUpgradeState[] = ['Failed', 'Unmanaged', 'Upgrading', 'Migrated', 'Resetting', 'Idle'];
  const isQuiet = reason === 'UpToDate' || reason === 'AwaitingSelection';
  return order.indexOf(state) * 4 + (isQuiet ? 2 : 0) + (ready ? 1 : 0);
}

function podView(pod: Pod | ProjectedPod, summary: PodSummary, { target }: SummaryContext, now: Date): PodView {
  const created = Date.parse(pod.metadata.creationTimestamp ?? '');
  return {
    namespace: summary.namespace,
    name: summary.name,
    state: summary.state,
    phase: summary.due,
    images: workingImages(pod, target.sidecarSet),
    reason: summary.reason,
    message: summary.message,
    ready: summary.ready,
    ...(Number.isNaN(created) ? {} : { ageSeconds: Math.max(0, Math.floor((now.getTime() - created) / 1_000)) }),
  };
}

/** The images that serve: of a hot pair the one that the pointer names. */
function workingImages(pod: Pod | ProjectedPod, { spec }: SidecarSet): string[] {
  const working = textMap(pod.metadata.annotations?.[KRUISE.workingHotContainer]);
  return (spec.containers ?? []).flatMap((container) => {
    const name = isHotUpgrade(container) ? working[container.name] : container.name;
    return pod.spec.containers.find((one) => one.name === name)?.image ?? [];
  });
}

function textMap(text: string | undefined): Record<string, string> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Record<string, string>) : {};
  } catch {
    return {};
  }
}

function revisionViews(
  { metadata, status }: SidecarSet,
  revisions: readonly ControllerRevision[],
  pods: ReadonlyMap<string, PodView[]>,
): RevisionView[] {
  const specHash = metadata.annotations?.[KRUISE.hash];
  const known = revisions.map((revision): RevisionView => {
    const name = revision.metadata.name ?? '';
    const isLatest = name === status?.latestRevision && revision.metadata.annotations?.[KRUISE.hash] === specHash;
    const marks: RevisionView['marks'] = isLatest ? ['latest'] : [];
    if (name === status?.currentRevision) marks.push('good');
    if (name === status?.failedRevision) marks.push('failed');
    return { name, number: revision.revision, images: revisionImages(revision), marks, pods: pods.get(name) ?? [] };
  });
  const names = new Set(known.map(({ name }) => name));
  const unknown = [...pods]
    .filter(([name]) => !names.has(name))
    .map(([name, group]): RevisionView => ({ name, images: [], marks: [], pods: group }));
  return [...known, ...unknown].sort((a, b) => (b.number ?? 0) - (a.number ?? 0));
}

function revisionImages({ data }: ControllerRevision): string[] {
  const spec = (data as { spec?: SidecarSetSpec } | undefined)?.spec;
  return Array.isArray(spec?.containers) ? imagesOf(spec) : [];
}

const imagesOf = ({ containers }: SidecarSetSpec): string[] => (containers ?? []).flatMap(({ image }) => image ?? []);

function strategyText({ updateStrategy = {} }: SidecarSetSpec): string {
  const { type, maxUnavailable = 1, partition = 0, paused, selector } = updateStrategy;
  if (type === 'NotUpdate') return 'NotUpdate';
  const parts = [`maxUnavailable ${maxUnavailable}`];
  if (partition !== 0 && partition !== '0%') parts.push(`partition ${partition}`);
  if (selector !== undefined) parts.push('only pods that its selector chooses');
  if (paused === true) parts.push('paused');
  return parts.join(', ');
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
