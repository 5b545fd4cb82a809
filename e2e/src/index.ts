/** The whole platform as processes: the demo, journeys and the failure matrix. */

export { Platform, type PlatformOptions } from './platform/platform.js';
export { until } from './platform/service.js';
