import type { JsonPatch, JsonPatchOperation } from '../api/kubernetes.js';
import { pointerToken } from '../injection/apply-json-patch.js';
import { InjectionRefused } from '../injection/injection-plan.js';
import { type Assessment, assessPod } from './assess-pod.js';
import { releaseOfManagedFields } from './managed-fields.js';
import { eventsOf } from './pod-events.js';
import { type PodReading, readPod } from './pod-reading.js';
import type { PodUpgradeDecision, PodUpgradeInput } from './types.js';
import { upgradableConditionPatch } from './upgradable-condition.js';
import { annotationsAfter } from './write-annotations.js';
import type { WritePlan } from './write-plan.js';
import { nextAttempt } from './write-record.js';

/**
 * Says where a SidecarSet stands on a pod, which phase is due, and the one write that phase consists of.
 *
 * Never throws: whatever is wrong with the pod is the decision's reason. Two decisions on the same pod are the same but for the
 * clock, and the patch is locked to the pod's resourceVersion, so of two workers one wins and the other finds the phase done.
 */
export function decidePodUpgrade({ target, pod, now, managedFields = 'keep' }: PodUpgradeInput): PodUpgradeDecision {
  const reading = readPod(target, pod);
  const assessment = assessPod(reading, now);
  const decision = baseDecision(reading, assessment, now);
  const { plan, due } = assessment;
  if (plan === undefined || due === 'none' || due === 'migration') return decision;
  try {
    decision.patch = patchOf(reading, annotationsAfter(reading, assessment, plan, now), plan);
    if (managedFields === 'release') decision.patch.push(...releaseOfManagedFields(pod));
  } catch (error) {
    if (!(error instanceof InjectionRefused)) throw error;
    return { ...decision, due: 'none', reason: 'AnnotationMalformed', message: error.message, events: [] };
  }
  if (due === 'upgrade') {
    const statusPatch = upgradableConditionPatch(pod, target.name, true, now);
    if (statusPatch !== undefined) decision.statusPatch = statusPatch;
  }
  return decision;
}

function baseDecision(reading: PodReading, assessment: Assessment, now: Date): PodUpgradeDecision {
  const { state, due, reason, message, container, reviewAt } = assessment;
  const { target, record } = reading;
  const decision: PodUpgradeDecision = {
    state,
    due,
    reason,
    message,
    revision: target.hash,
    attempt: due === 'upgrade' ? nextAttempt(reading) : (record?.attempt ?? 1),
    events: eventsOf(assessment),
  };
  if (container !== undefined) decision.container = container;
  if (reviewAt !== undefined) decision.retryAfterMs = Math.max(0, reviewAt - now.getTime());
  return decision;
}

/**
 * Writing the resourceVersion that was read makes the API server compare it and answer 409 Conflict when the pod has changed. A
 * `test` operation would be checked too, but fails as 422 Invalid, which cannot be told from a patch that is wrong.
 */
function patchOf({ pod, annotations }: PodReading, after: Record<string, string>, plan: WritePlan): JsonPatch {
  const operations: JsonPatchOperation[] = [
    { op: 'replace', path: '/metadata/resourceVersion', value: pod.metadata.resourceVersion ?? '' },
  ];
  if (pod.metadata.annotations === undefined) operations.push({ op: 'add', path: '/metadata/annotations', value: {} });
  for (const [key, value] of Object.entries(after)) {
    if (annotations[key] === value) continue;
    operations.push({ op: 'add', path: `/metadata/annotations/${pointerToken(key)}`, value });
  }
  for (const { container, image } of plan.changes) {
    if (container.image !== image) operations.push({ op: 'replace', path: container.path, value: image });
  }
  return operations;
}
