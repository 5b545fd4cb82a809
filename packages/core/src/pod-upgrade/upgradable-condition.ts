import { KRUISE } from '../api/keys.js';
import type { Pod, PodCondition } from '../api/kubernetes.js';
import { goMapText } from '../injection/go-json.js';
import { parseObject, toTimestamp } from './annotations.js';

/** A strategic merge patch for a pod's `status` subresource. */
export interface PodStatusPatch {
  status: { conditions: object[] };
}

/**
 * OpenKruise's pod condition `SidecarSetUpgradable`: True when every SidecarSet of the pod can be upgraded in place, with each
 * set's answer as JSON in the message.
 *
 * @returns the patch, or `undefined` when the pod already says so
 */
export function upgradableConditionPatch(
  pod: Pod,
  setName: string,
  upgradable: boolean,
  now: Date,
): PodStatusPatch | undefined {
  const old = pod.status?.conditions?.find((condition) => condition.type === KRUISE.upgradableCondition);
  const answers: Record<string, unknown> = { ...(parseObject(old?.message) ?? {}), [setName]: upgradable };
  const message = goMapText(Object.entries(answers));
  const all = Object.values(answers).every((answer) => answer !== false);
  const status = all ? 'True' : 'False';
  const reason = all ? 'AllSidecarsetUpgradable' : 'UpdateImmutableField';
  if (old !== undefined && old.status === status && old.reason === reason && old.message === message) return undefined;
  const condition: PodCondition = {
    type: KRUISE.upgradableCondition,
    status,
    lastTransitionTime: (old?.status === status ? old.lastTransitionTime : undefined) ?? toTimestamp(now),
    reason,
    message,
  };
  return { status: { conditions: [condition] } };
}
