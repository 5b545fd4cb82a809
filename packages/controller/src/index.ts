/** Gather, ask core, act: reconciles SidecarSets and runs one phase of one pod, through ports. */
export * from './membership.js';
export * from './phase-rehearsal.js';
export * from './phase-runner.js';
export * from './planner.js';
export type { PlannerCache } from './planner-cache.js';
export * from './ports.js';
export * from './queue-monitor.js';
export { TARGET_FRESH_MS, TargetSource } from './target-source.js';
