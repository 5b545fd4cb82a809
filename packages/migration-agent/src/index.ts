/** Runs beside the proxy: hands live sockets from the old sidecar container to the new one. */

export { AGENT_ERROR_CODES, AgentError, type AgentErrorCode, type RetryRule } from './errors.js';
export type { TimeLimits } from './handover/time-limits.js';
export type { AgentRole, AgentStatus, HandoverStatus, ListenerStatus } from './status/snapshot.js';
export type {
  Farewell,
  ListenerSpec,
  ServableServer,
  ServeOptions,
  Takeover,
  TakeoverEvents,
  TakeoverOptions,
} from './takeover/api.js';
export { type Rehearsal, rehearse } from './takeover/rehearse.js';
export { takeover } from './takeover/takeover.js';
