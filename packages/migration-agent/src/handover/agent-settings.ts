import type { Interrupt } from './conversation.js';
import type { TimeLimits } from './time-limits.js';

/** Everything a process's part in the hand-overs depends on, with all defaults filled in. */
export interface AgentSettings {
  directory: string;
  slot: string;
  version: string;
  limits: TimeLimits;
  afterDrain: 'park' | 'end';
  peerUids: number[];
  /** Also takes listeners over that no plan names: the program knows by itself which it wants. */
  adoptsAll: boolean;
  versions: { min: number; max: number };
  saveState: (() => Uint8Array | Promise<Uint8Array>) | undefined;
  counters: (() => Record<string, number>) | undefined;
  log: (event: string, fields: Record<string, unknown>) => void;
  /** Tests only: called at named points of the conversation. */
  interrupt: Interrupt | undefined;
}

/** One JSON object per line on stderr. */
export function logToStderr(event: string, fields: Record<string, unknown>): void {
  process.stderr.write(
    `${JSON.stringify({ time: new Date().toISOString(), component: 'sidestep-agent', event, ...fields })}\n`,
  );
}
