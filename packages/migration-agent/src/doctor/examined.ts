import { readFileSync } from 'node:fs';
import type { AgentConfig } from '../config.js';
import type { ListenerPlan } from '../native/listener.js';

/** What the container is meant to run, as `sidestep-agent run` would understand it. */
export interface Examined {
  config: AgentConfig;
  adapter: string;
  readySign: string | undefined;
  listeners: ListenerPlan[];
  command: string[];
  /** Seconds the pod gives its containers to end, if that was told; a container cannot see it. */
  graceSeconds: number | undefined;
  env: Record<string, string | undefined>;
}

/** The arguments of `sidestep-agent run` in a command line; undefined when it runs something else. */
export function runArguments(commandLine: readonly string[]): string[] | undefined {
  const agent = commandLine.findIndex((word) => /(^|\/)sidestep-agent(\.[cm]?js)?$/.test(word));
  return agent >= 0 && commandLine[agent + 1] === 'run' ? commandLine.slice(agent + 2) : undefined;
}

/** What pid 1 of this container was started with. */
export function firstProcess(): string[] {
  try {
    return readFileSync('/proc/1/cmdline', 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
