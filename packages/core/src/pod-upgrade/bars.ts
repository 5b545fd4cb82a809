/** What keeps a pod from being begun, as far as the SidecarSet and the pod alone tell. */
import type { Reason } from '../api/reasons.js';
import { matchesSelector } from '../api/selectors.js';
import { isConsistent } from './consistency.js';
import type { PodReading, Problem } from './pod-reading.js';
import { isUpgradable } from './upgradable.js';

/** A container that is still shown as ready with its old image: the kubelet is at work on the previous change. */
export function findUnreported(reading: PodReading, now: Date): Problem | undefined {
  const containers = [
    ...reading.pairs.flatMap((pair) => [pair.working, pair.other]),
    ...reading.plain.map((view) => view.container),
  ];
  const late = containers.find((c) => c.status?.ready === true && !isConsistent(reading, c, now));
  if (late === undefined) return undefined;
  const message = `the kubelet has not finished the last image change of container ${late.name}`;
  return { reason: 'KubeletCatchingUp', message, container: late.name };
}

/** An upgrade that was begun is finished, or goes back, all the same. */
export const NOT_SELECTED: Problem = {
  reason: 'NotSelected',
  message: 'the selectors of the SidecarSet do not choose this pod (any more)',
};

/** Why no new attempt may be begun on this pod. */
export function findBar(reading: PodReading): Problem | undefined {
  const { target, record, pod } = reading;
  const { selector, updateStrategy: strategy } = target.sidecarSet.spec;
  // The namespaceSelector is for the rollout to ask: whoever looks at one pod does not know the labels of its namespace.
  if (selector !== undefined && !matchesSelector(selector, pod.metadata.labels)) return NOT_SELECTED;
  if (strategy?.type === 'NotUpdate') return bar('NotUpdateStrategy', 'updateStrategy.type is NotUpdate');
  if (strategy?.paused === true) return bar('Paused', 'updateStrategy.paused is set');
  if (target.abortRequested) return bar('AbortRequested', 'the rollout was asked to stop');
  if (strategy?.selector !== undefined && !matchesSelector(strategy.selector, pod.metadata.labels)) {
    return bar('PartitionReached', 'updateStrategy.selector does not choose this pod');
  }
  if (!isUpgradable(reading)) return bar('UpdateImmutableField', 'more than images changed since the pod was created');
  if (record?.phase === 'Failed' && record.revision === target.hash && record.retry === target.retryToken) {
    return { reason: 'FailedBefore', message: `failed on this revision before: ${record.reason ?? 'unknown reason'}` };
  }
  return undefined;
}

const bar = (reason: Reason, message: string): Problem => ({ reason, message });
