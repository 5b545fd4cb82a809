import { activation } from './activation.js';
import type { Adapter, Usage } from './adapter.js';
import { envoy } from './envoy/envoy.js';
import { envoyRestart } from './envoy/envoy-restart.js';
import { exec } from './exec.js';
import { haproxy } from './haproxy.js';
import { mosn } from './mosn.js';
import { nginx } from './nginx.js';

/** Every adapter by its name on the command line. A new one is a file here and a line in this list. */
export const ADAPTERS: readonly Adapter[] = [activation, envoy, envoyRestart, nginx, haproxy, mosn, exec];

/** Everything that can be said before the program is started. @throws TypeError. */
export function checkUsage(adapter: Adapter, usage: Usage): void {
  if (usage.readySign !== undefined && !adapter.readySigns) {
    const own = `the ${adapter.name} adapter has a sign of its own, leave it out`;
    throw new TypeError(`--ready is "${usage.readySign}"; ${own}`);
  }
  adapter.check?.(usage);
}

/** @throws TypeError with the allowed names. */
export function adapterNamed(name: string): Adapter {
  const found = ADAPTERS.find((adapter) => adapter.name === name);
  if (!found) throw new TypeError(`unknown adapter "${name}"; allowed are ${ADAPTERS.map((a) => a.name).join(', ')}`);
  return found;
}
