import type { Assessment } from './assess-pod.js';
import type { PodEvent } from './types.js';

/** What is told on the pod itself once a write is made, or a look found a failure. */
export function eventsOf({ state, due, reason, message }: Assessment): PodEvent[] {
  if (due === 'reset') {
    const text = 'reset sidecar container image empty successfully';
    return [{ type: 'Normal', reason: 'ResetContainerSucceed', message: text }];
  }
  if (due === 'abort') return [{ type: 'Warning', reason: 'SidecarUpgradeAborted', message: `${reason}: ${message}` }];
  return state === 'Failed' ? [failureEvent({ reason, message })] : [];
}

/** An upgrade that failed, with the container and why in the message. */
export const failureEvent = ({ reason, message }: Pick<Assessment, 'reason' | 'message'>): PodEvent => ({
  type: 'Warning',
  reason: 'SidecarUpgradeFailed',
  message: `${reason}: ${message}`,
});
