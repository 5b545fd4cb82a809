/** The contract and the brain: the SidecarSet API, injection, revisions, rollout and per-pod upgrade rules, all pure. */

export * from './api/container-kinds.js';
export * from './api/defaults/sidecarset.js';
export * from './api/errors.js';
export * from './api/field-error.js';
export * from './api/int-or-percent.js';
export * from './api/keys.js';
export * from './api/kubernetes.js';
export * from './api/quantity.js';
export * from './api/reasons.js';
export { genericJson } from './api/schema/go-json.js';
export * from './api/selectors.js';
export * from './api/sidecarset.js';
export * from './api/versions.js';
export { applyJsonPatch, pointerToken } from './injection/apply-json-patch.js';
export * from './injection/evaluate-resource-expression.js';
export * from './injection/injection-plan.js';
export * from './injection/injection-records.js';
export { injectPod, planInjection } from './injection/plan-injection.js';
export { patchPodAnnotations } from './injection/pod-metadata.js';
export * from './injection/resource-expression.js';
export { SidecarSetIndex } from './injection/sidecarset-index.js';
export type * from './pod-upgrade/types.js';
export * from './revision/find-revision.js';
export * from './revision/hash.js';
export * from './revision/restore-revision.js';
export * from './revision/revision-decision.js';
export type * from './rollout/types.js';
