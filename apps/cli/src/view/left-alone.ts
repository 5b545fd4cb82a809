import { matchesSelector, type PodSummary, type SummaryContext, summarizePod } from '@sidestep/core';
import type { RolloutSnapshot } from './snapshot.js';

/** Pods that one thing keeps where they are, with a few of their names. */
export interface PodGroup {
  reason: string;
  message: string;
  count: number;
  examples: string[];
}

/** How many pods of a group are named. */
export const EXAMPLES = 3;

const MESSAGES = {
  updateStrategy: 'not chosen by updateStrategy.selector',
  namespace: 'in a namespace that namespaceSelector does not choose (any more)',
  labels: 'with labels that the selector does not choose (any more)',
};

/**
 * Pods that carry the SidecarSet and that no upgrade is for: it is complete without them, and nothing else tells of them. Only among
 * those that were read, which are chosen by their labels unless the selector changed since.
 */
export function podsLeftAlone(context: SummaryContext, { pods }: RolloutSnapshot, now: Date): PodGroup[] {
  const groups = new Map<string, PodGroup>();
  for (const pod of pods) {
    const summary = summarizePod(context, pod, now);
    const message = whyLeftAlone(summary, context);
    if (message === undefined) continue;
    const group = groups.get(message) ?? { reason: summary.reason, message, count: 0, examples: [] };
    group.count += 1;
    if (group.examples.length < EXAMPLES) group.examples.push(summary.key);
    groups.set(message, group);
  }
  return [...groups.values()];
}

/** Of a single pod `PartitionReached` means the selector: the partition is for the rollout to keep, of candidates. */
function whyLeftAlone({ matched, apart, reason, labels }: PodSummary, { target }: SummaryContext): string | undefined {
  if (matched) return reason === 'PartitionReached' ? MESSAGES.updateStrategy : undefined;
  if (reason !== 'NotSelected' || apart) return undefined;
  return matchesSelector(target.sidecarSet.spec.selector, labels) ? MESSAGES.namespace : MESSAGES.labels;
}
