/** Logs, metrics, traces and health for every Sidestep process. */
export * from './health-server.js';
export * from './logger.js';
export * from './metric-catalogue.js';
export * from './metrics.js';
export * from './settings.js';
export * from './stop-signals.js';
export * from './tracing.js';
