import { activation } from './activation.js';
import type { Adapter } from './adapter.js';
import { envoy } from './envoy/envoy.js';
import { envoyRestart } from './envoy/envoy-restart.js';
import { exec } from './exec.js';
import { haproxy } from './haproxy.js';
import { mosn } from './mosn.js';
import { nginx } from './nginx.js';

/** Every adapter by its name on the command line. A new one is a file here and a line in this list. */
export const ADAPTERS: readonly Adapter[] = [activation, envoy, envoyRestart, nginx, haproxy, mosn, exec];

/** @throws TypeError with the allowed names. */
export function adapterNamed(name: string): Adapter {
  const found = ADAPTERS.find((adapter) => adapter.name === name);
  if (!found) throw new TypeError(`unknown adapter "${name}"; allowed are ${ADAPTERS.map((a) => a.name).join(', ')}`);
  return found;
}
