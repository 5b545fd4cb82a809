/** An API server and any resource: client, reflector, store, workqueue, lease, event recorder, patch. */
export * from './api.js';
export * from './cache/reflector.js';
export * from './cache/reflector-options.js';
export * from './cache/store.js';
export type { CallReport } from './client/caller.js';
export * from './client/http-kube-api.js';
export * from './client/rate-limiter.js';
export * from './clock.js';
export * from './config/connection.js';
export * from './config/load.js';
export * from './error.js';
export * from './events/event-object.js';
export * from './events/event-recorder.js';
export * from './lease/decision.js';
export * from './lease/election.js';
export * from './manual-clock.js';
export * from './patch.js';
export * from './work-queue.js';
