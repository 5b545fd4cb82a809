/** The contract and the brain: the SidecarSet API, injection, revisions, rollout and per-pod upgrade rules, all pure. */
export * from './api/errors.js';
export * from './api/keys.js';
export * from './api/kubernetes.js';
export * from './api/reasons.js';
export * from './api/sidecarset.js';
export type * from './pod-upgrade/types.js';
export type * from './rollout/types.js';
