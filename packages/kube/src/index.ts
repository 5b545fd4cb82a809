/** An API server and any resource: client, reflector, store, workqueue, lease, event recorder, patch. */
export * from './api.js';
