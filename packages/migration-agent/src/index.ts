/** Runs beside the proxy: hands live sockets from the old sidecar container to the new one. */
export { AgentError, type RetryRule } from './errors.js';
export type { AgentRole, AgentStatus, HandoverStatus, ListenerStatus } from './status/snapshot.js';
export type {
  Farewell,
  ListenerSpec,
  ServableServer,
  ServeOptions,
  Takeover,
  TakeoverEvents,
  TakeoverOptions,
  TimeLimits,
} from './takeover/api.js';
