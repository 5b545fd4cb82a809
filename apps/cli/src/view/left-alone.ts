import { type PodSummary, type SummaryContext, summarizePod } from '@sidestep/core';
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
  selector: 'updateStrategy.selector does not choose them',
  selectors: 'they carry this SidecarSet, and its selectors do not choose them (any more)',
};

/** Pods that carry the SidecarSet and that no upgrade is for: it is complete without them, and nothing else tells of them. */
export function podsLeftAlone(context: SummaryContext, { pods }: RolloutSnapshot, now: Date): PodGroup[] {
  const groups = new Map<string, PodGroup>();
  for (const pod of pods) {
    const summary = summarizePod(context, pod, now);
    const message = whyLeftAlone(summary);
    if (message === undefined) continue;
    const group = groups.get(message) ?? { reason: summary.reason, message, count: 0, examples: [] };
    group.count += 1;
    if (group.examples.length < EXAMPLES) group.examples.push(summary.key);
    groups.set(message, group);
  }
  return [...groups.values()];
}

/** Of a single pod `PartitionReached` means the selector: the partition is for the rollout to keep, of candidates. */
function whyLeftAlone({ matched, apart, reason }: PodSummary): string | undefined {
  if (matched) return reason === 'PartitionReached' ? MESSAGES.selector : undefined;
  return reason === 'NotSelected' && !apart ? MESSAGES.selectors : undefined;
}
