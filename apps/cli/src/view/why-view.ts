import {
  type BlockedPods,
  decidePodUpgrade,
  decideRollout,
  type FullPod,
  type PodUpgradeDecision,
  summarizePod,
  UNMANAGEABLE,
} from '@sidestep/core';
import { type Check, checksOf, type Rule } from './check-chain.js';
import { EXAMPLES, type PodGroup, podsLeftAlone } from './left-alone.js';
import { summaryContext } from './sidecarset-view.js';
import type { RolloutSnapshot } from './snapshot.js';
import { type Verdict, verdictOf } from './verdict.js';

/** Why something stands where it stands. */
export interface WhyView {
  /** `SidecarSet mesh`, or `pod default/shop-1, SidecarSet mesh`. */
  subject: string;
  state: string;
  reason: string;
  message: string;
  checks: Check[];
  /** Of a SidecarSet: its pods that are not done, by what holds them, with a few names of each. */
  blocked?: PodGroup[];
}

/** The order in which the rollout asks, see packages/core/src/rollout/rollout-facts.ts. */
const SET_RULES: readonly Rule[] = [
  { rule: 'updateStrategy.type lets running pods change', reasons: ['NotUpdateStrategy'] },
  { rule: 'updateStrategy.paused is not set', reasons: ['Paused'] },
  { rule: 'the job queue can be reached', reasons: ['QueueUnavailable'] },
  { rule: 'nobody asked the rollout to stop', reasons: ['AbortRequested'] },
  {
    rule: 'no more pods failed than failurePolicy tolerates',
    reasons: ['TooManyFailures', 'NoGoodRevision', 'RollingBack', 'RolledBack', 'PodsFailed'],
  },
  { rule: 'the nodes have the new image', reasons: ['PrePulling', 'PrePullFailed'] },
  { rule: 'no canary step waits', reasons: ['StepPause', 'StepInProgress'] },
  {
    rule: 'maxUnavailable leaves room for another pod',
    reasons: ['MaxUnavailableZero', 'MaxUnavailableReached', 'WaitingForReadyTime', 'PodsNotReady'],
  },
  { rule: 'partition and selector leave pods to upgrade', reasons: ['PartitionReached'] },
  { rule: 'the remaining pods can be upgraded in place', reasons: ['NotUpgradablePods', 'UpdateImmutableField'] },
  { rule: 'every pod that carries the SidecarSet can be managed', reasons: UNMANAGEABLE },
];

/** Why a rollout stands where it stands. The verdict is the planner's own; the pods are looked at anew. */
export function whySidecarSet(snapshot: RolloutSnapshot, now: Date): WhyView {
  const { sidecarSet, pods, revisions } = snapshot;
  const verdict = verdictOf(sidecarSet);
  const latestRevision = sidecarSet.status?.latestRevision ?? '';
  const decision = decideRollout({ ...snapshot, revisions, latestRevision }, pods, now);
  const seen: Check =
    verdict.state === 'Waiting'
      ? { rule: 'the planner has seen this version', result: 'holds', message: verdict.message }
      : { rule: 'the planner has seen this version', result: 'passed' };
  const rules = checksOf(SET_RULES, verdict.reason, verdict.message);
  return {
    subject: `SidecarSet ${sidecarSet.metadata.name ?? ''}`,
    ...verdict,
    checks: [seen, ...(verdict.state === 'Waiting' ? rules.map(notReached) : rules)],
    blocked: blockedPods(snapshot, decision.blocked, now),
  };
}

function blockedPods(snapshot: RolloutSnapshot, blocked: readonly BlockedPods[], now: Date): PodGroup[] {
  const names = namesByReason(snapshot, now);
  const leftAlone = podsLeftAlone(summaryContext(snapshot), snapshot, now);
  const bySelector = leftAlone.find(({ reason }) => reason === 'PartitionReached')?.count ?? 0;
  const others = blocked.map((group) => {
    // Those that the selector leaves alone have this reason themselves; candidates have it from the rollout.
    const isPartition = group.reason === 'PartitionReached';
    const own = isPartition ? undefined : names.get(group.reason);
    const count = isPartition ? group.count - bySelector : group.count;
    return { ...group, count, examples: own ?? names.get('AwaitingSelection') ?? [] };
  });
  return [...others.filter(({ count }) => count > 0), ...leftAlone];
}

const notReached = ({ rule }: Check): Check => ({ rule, result: 'notReached' });

function namesByReason(snapshot: RolloutSnapshot, now: Date): Map<string, string[]> {
  const context = summaryContext(snapshot);
  const names = new Map<string, string[]>();
  for (const pod of snapshot.pods) {
    const { reason } = summarizePod(context, pod, now);
    const known = names.get(reason) ?? [];
    if (known.length < EXAMPLES) known.push(`${pod.metadata.namespace ?? ''}/${pod.metadata.name ?? ''}`);
    names.set(reason, known);
  }
  return names;
}

const READABLE: Rule = {
  rule: 'the pod can be read as one of this SidecarSet',
  reasons: ['NotInjected', ...UNMANAGEABLE],
};
const ALIVE: Rule = { rule: 'the pod is not ending', reasons: ['PodTerminating'] };

/** Before a pod is begun. */
const BEGIN_RULES: readonly Rule[] = [
  READABLE,
  ALIVE,
  { rule: 'the selectors of the SidecarSet choose the pod', reasons: ['NotSelected'] },
  { rule: 'updateStrategy.type lets running pods change', reasons: ['NotUpdateStrategy'] },
  { rule: 'updateStrategy.paused is not set', reasons: ['Paused'] },
  { rule: 'nobody asked the rollout to stop', reasons: ['AbortRequested'] },
  { rule: 'updateStrategy.selector chooses the pod', reasons: ['PartitionReached'] },
  { rule: 'only images differ', reasons: ['UpdateImmutableField'] },
  { rule: 'this revision did not fail on this pod before', reasons: ['FailedBefore'] },
  { rule: 'the kubelet is done with the previous change', reasons: ['KubeletCatchingUp'] },
  { rule: 'the kubelet would start the container at once', reasons: ['BackOffExpected'] },
  { rule: 'the rollout picks the pod', reasons: ['AwaitingSelection', 'BecameReady'] },
];

/** Once it is. */
const FINISH_RULES: readonly Rule[] = [
  READABLE,
  ALIVE,
  { rule: 'the revision being started is still wanted', reasons: ['Superseded', 'SpecWentBack', 'AbortRequested'] },
  {
    rule: 'the new container starts',
    reasons: [
      'ImagePullFailed',
      'InvalidImage',
      'ContainerCannotStart',
      'CrashLoop',
      'PostStartHookFailed',
      'DeadlineExceeded',
    ],
  },
  { rule: 'the new container is ready', reasons: ['ContainerStarting', 'KubeletCatchingUp'] },
  { rule: 'no other container became unready', reasons: ['ContainerNotReady'] },
  { rule: 'the kubelet would start the empty image at once', reasons: ['BackOffExpected'] },
  { rule: 'the old container is emptied', reasons: ['ReadyToReset', 'EmptyImageStarting'] },
];

/** Every reason for which a pod may wait, as the rules above know them. */
export const reasonsOfPods = (): ReadonlySet<string> =>
  new Set([...BEGIN_RULES, ...FINISH_RULES].flatMap(({ reasons }) => reasons));

const UNDER_WAY: readonly PodUpgradeDecision['state'][] = ['Upgrading', 'Migrated', 'Resetting', 'Failed'];

/** Why a pod stands where it stands, by the very rules that a worker would apply to it now. */
export function whyPod(snapshot: RolloutSnapshot, pod: FullPod, now: Date): WhyView {
  const { target } = summaryContext(snapshot);
  const decision = decidePodUpgrade({ target, pod, now });
  const { state, reason } = decision;
  const picking = reason === 'AwaitingSelection' ? pickingOf(verdictOf(snapshot.sidecarSet)) : '';
  const message = decision.message + picking;
  const rules = UNDER_WAY.includes(state) && decision.due !== 'upgrade' ? FINISH_RULES : BEGIN_RULES;
  const { namespace = '', name = '' } = pod.metadata;
  return {
    subject: `pod ${namespace}/${name}, SidecarSet ${target.name}`,
    state,
    reason,
    message,
    checks:
      reason === 'UpToDate'
        ? [{ rule: 'the pod runs the wanted revision', result: 'passed' }]
        : checksOf(rules, reason, message),
  };
}

const pickingOf = ({ state, reason, message }: Verdict): string =>
  `; the rollout: ${state}${reason === '' ? '' : ` ${reason}`}, ${message}`;
