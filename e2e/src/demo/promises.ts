/** What can be seen of a rollout whose new image failed, before a good one follows. */
export interface FailedRollout {
  /** Pods that were begun, and those of them that were aborted. */
  begun: number;
  aborted: number;
  /** How many may be begun at once. */
  allowed: number;
  /** Pods whose old sidecar was stopped or ended. */
  stopped: readonly string[];
}

/** What does not hold of "every begun pod is aborted, no further one is begun, and the old sidecar never stops". */
export const brokenPromises = ({ begun, aborted, allowed, stopped }: FailedRollout): string[] => [
  ...(begun > allowed ? [`${begun} pods were begun, ${allowed} may be at once`] : []),
  ...(begun !== aborted ? [`${begun} pods were begun, ${aborted} aborted`] : []),
  ...(stopped.length > 0 ? [`the old sidecar was stopped in ${stopped.join(', ')}`] : []),
];
