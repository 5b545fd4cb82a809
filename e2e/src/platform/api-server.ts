import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { HttpKubeApi, type KubeApi, loadKubeConfig, RateLimiter, type ResourceKind } from '@sidestep/kube';
import { type FaultProxy, freePort, startFaultProxy, startRealApiServer } from '@sidestep/testkit';
import { ApiFaults } from './api-faults.js';
import type { Service } from './service.js';

/** Who calls: the apps do so with the roles they are shipped with, everything else as an administrator. */
export type Caller = 'admin' | 'webhook' | 'upgrade-worker';

/** The API server that a platform runs on. */
export interface PlatformApiServer {
  /** As an administrator, without a rate limit that matters. */
  api: KubeApi;
  /** The path of the administrator's kubeconfig. */
  kubeconfig: string;
  kubeconfigFor(caller: Caller): Promise<string>;
  /** Absent where nothing can go wrong. */
  faults?: ApiFaults;
  /** A namespace in which pods may be created. */
  createNamespace(name: string): Promise<void>;
  /** Its own processes, for what they cost; none when it is a service of the platform. */
  pids: { apiServer?: number; etcd?: number };
  /** Runs kubectl as the administrator; only with a real API server. */
  kubectl?(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

const NAMESPACE: ResourceKind = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
  namespaced: false,
};

const connect = (kubeconfig: string): HttpKubeApi =>
  new HttpKubeApi({
    connection: loadKubeConfig({ kubeconfig }),
    limiter: new RateLimiter({ qps: 5_000, burst: 10_000 }),
  });

/** kube-sim knows no roles: everybody is the administrator. */
export const startSimulatedApiServer = async (
  stateDir: string,
  { program, keepsState }: { program: string; keepsState: boolean },
  create: (spec: Service['spec']) => Service,
): Promise<PlatformApiServer> => {
  const kubeconfig = path.join(stateDir, 'kubeconfig');
  const port = await freePort();
  const args = ['--host', '127.0.0.1', '--port', String(port), '--kubeconfig-out', kubeconfig];
  if (keepsState) args.push('--data-dir', path.join(stateDir, 'kube-sim'));
  const readyUrl = `http://127.0.0.1:${port}/readyz`;
  const service = await create({ name: 'kube-sim', file: program, args, readyUrl }).start();
  const { url } = await service.announcement();
  const api = connect(kubeconfig);
  return {
    api,
    kubeconfig,
    kubeconfigFor: async () => kubeconfig,
    faults: new ApiFaults(String(url)),
    createNamespace: async (name) => {
      await api.create(NAMESPACE, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    },
    pids: service.pid === undefined ? {} : { apiServer: service.pid },
    stop: async () => api.close(),
  };
};

/** The apps reach the API server through it; everybody else goes straight there. */
const kubeconfigThrough = (proxy: FaultProxy, stateDir: string, user: string): string => {
  const file = path.join(stateDir, `kubeconfig-${user.split(':').at(-1)}`);
  writeFileSync(file, proxy.kubeconfigFor(user), { mode: 0o600 });
  return file;
};

/** Rejects with testkit's `ApiServerBinariesMissing` where its programs are missing. */
export const startActualApiServer = async (
  namespace: string,
  options: { stateDir: string; faultProxy?: boolean },
): Promise<PlatformApiServer> => {
  const server = await startRealApiServer();
  // A cluster's controllers would give it the service account without which no pod may be created in it.
  await server.createNamespace(namespace);
  const api = connect(server.kubeconfig);
  const connection = loadKubeConfig({ kubeconfig: server.kubeconfig });
  const proxy = options.faultProxy ? await startFaultProxy({ connection }) : undefined;
  return {
    api,
    kubeconfig: server.kubeconfig,
    kubeconfigFor: async (caller) => {
      if (caller === 'admin') return server.kubeconfig;
      if (!proxy) return server.kubeconfigForServiceAccount(namespace, `sidestep-${caller}`);
      return kubeconfigThrough(proxy, options.stateDir, `system:serviceaccount:${namespace}:sidestep-${caller}`);
    },
    createNamespace: (name) => server.createNamespace(name),
    pids: { apiServer: server.apiServerPid, etcd: server.etcdPid },
    kubectl: (...args) => server.kubectl(...args),
    ...(proxy ? { faults: new ApiFaults(proxy.url) } : {}),
    stop: async () => {
      api.close();
      await proxy?.stop();
      await server.stop();
    },
  };
};
