/** Admission and conversion webhooks: answers from memory, manages its own certificates. */
export { type Config, ConfigError, describeConfig, readConfig } from './config.js';
export { WebhookApp } from './webhook-app.js';
