/**
 * In which order pods are begun, as in OpenKruise 1.9: `priorityStrategy` first, then the order in which Kubernetes' own
 * controllers give up pods (`ActivePods`), and between equals by name, where OpenKruise leaves it to chance.
 */
import type { Pod } from '../api/kubernetes.js';
import { matchesSelector } from '../api/selectors.js';
import type { UpdateStrategy } from '../api/sidecarset.js';

const PHASE_RANK: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** The key that a pod is sorted by under a strategy: compared number by number, smallest first. */
export function orderKey(pod: Pod, strategy: UpdateStrategy | undefined): number[] {
  return [...priorityKey(pod.metadata.labels ?? {}, strategy), ...activePodsKey(pod)];
}

/** Unscheduled before scheduled, Pending before Unknown before Running, not ready before ready, ready for less time first, more restarts first, newer first. */
function activePodsKey(pod: Pod): number[] {
  const ready = pod.status?.conditions?.find((condition) => condition.type === 'Ready');
  const isReady = ready?.status === 'True';
  const restarts = (pod.status?.containerStatuses ?? []).map((status) => status.restartCount ?? 0);
  return [
    pod.spec.nodeName ? 1 : 0,
    PHASE_RANK[pod.status?.phase ?? ''] ?? 0,
    isReady ? 1 : 0,
    isReady ? latestFirst(ready.lastTransitionTime) : 0,
    -Math.max(0, ...restarts),
    latestFirst(pod.metadata.creationTimestamp),
  ];
}

/** Kubernetes sorts an unknown time before every known one. */
function latestFirst(time: string | undefined): number {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) ? Number.NEGATIVE_INFINITY : -ms;
}

function priorityKey(labels: Readonly<Record<string, string>>, strategy: UpdateStrategy | undefined): number[] {
  const { weightPriority = [], orderPriority = [] } = strategy?.priorityStrategy ?? {};
  if (weightPriority.length > 0) {
    const weights = weightPriority.filter((term) => matchesSelector(term.matchSelector, labels));
    return [-weights.reduce((sum, term) => sum + term.weight, 0)];
  }
  if (orderPriority.length === 0) return [];
  const level = orderPriority.findIndex((term) => Object.hasOwn(labels, term.orderedKey));
  // A pod without any of the keys comes first: what OpenKruise does, whatever its API comment says.
  const value = level < 0 ? 0 : trailingInteger(labels[orderPriority[level]?.orderedKey ?? ''] ?? '');
  return [level, -value];
}

/** The number a label value ends in; 0 when it ends in none, or in one that a 64-bit integer cannot hold. */
function trailingInteger(value: string): number {
  const digits = /[0-9]*$/.exec(value)?.[0] ?? '';
  return digits === '' || BigInt(digits) > 0x7fff_ffff_ffff_ffffn ? 0 : Number(digits);
}

/** Negative when the pod with key `a` is begun before the one with key `b`. */
export function compareOrder(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    const left = a[i] as number;
    const right = b[i] as number;
    if (left !== right) return left < right ? -1 : 1;
  }
  return a.length - b.length;
}
