import type { AgentConfig } from '../config.js';
import { type AgentSettings, logToStderr } from '../handover/agent-settings.js';
import type { Interrupt } from '../handover/conversation.js';
import { DEFAULT_LIMITS, type TimeLimits } from '../handover/time-limits.js';
import { PROTOCOL_VERSIONS } from '../protocol/limits.js';
import type { TakeoverOptions } from './api.js';

const LONGEST_LABEL = 256;

/** What only tests and benchmarks may change. */
export interface Internals {
  interrupt?: Interrupt;
  versions?: { min: number; max: number };
  config?: AgentConfig;
}

/** Options over environment over defaults. */
export function settingsFrom(
  options: Omit<TakeoverOptions, 'listeners'>,
  config: AgentConfig,
  internals: Internals,
): AgentSettings {
  return {
    directory: options.directory ?? config.directory,
    slot: config.slot,
    // No longer than a frame takes.
    version: String(options.version ?? config.version).slice(0, LONGEST_LABEL),
    limits: { ...DEFAULT_LIMITS, ...fromEnvironment(config), ...options.limits },
    afterDrain: options.afterDrain ?? (config.hint ? 'park' : 'end'),
    peerUids: options.peerUids ?? [],
    adoptsAll: false,
    versions: internals.versions ?? PROTOCOL_VERSIONS,
    saveState: options.saveState,
    counters: options.counters,
    log: options.log === false ? () => undefined : options.log ? guarded(options.log) : logToStderr,
    interrupt: internals.interrupt,
  };
}

/** Events are told in the middle of a hand-over, which a logger that throws must not end. */
function guarded(log: AgentSettings['log']): AgentSettings['log'] {
  return (event, fields) => {
    try {
      log(event, fields);
    } catch (error) {
      logToStderr(event, { ...fields, logFailed: String(error) });
    }
  };
}

function fromEnvironment(config: AgentConfig): Partial<TimeLimits> {
  return {
    ...(config.drainMs === undefined ? {} : { drainMs: config.drainMs }),
    ...(config.initMs === undefined ? {} : { initMs: config.initMs }),
    ...(config.guardMs === undefined ? {} : { guardMs: config.guardMs }),
  };
}
