import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HttpKubeApi, loadKubeConfig, RateLimiter } from '@sidestep/kube';
import { kubeApiContract } from './kube.contract.js';
import { startKubeSim } from './kube-sim/start.js';
import { leaveOut } from './left-out.js';
import { ApiServerBinariesMissing, ensureApiServerBinaries } from './real-api-server/binaries.js';
import { startRealApiServer } from './real-api-server/start.js';

const connect = (kubeconfig: string): HttpKubeApi =>
  new HttpKubeApi({
    connection: loadKubeConfig({ kubeconfig }),
    limiter: new RateLimiter({ qps: 10_000, burst: 10_000 }),
  });

kubeApiContract('kube-sim', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sidestep-contract-'));
  const kubeconfigFile = path.join(folder, 'kubeconfig');
  const sim = await startKubeSim({ kubeconfigFile });
  const api = connect(kubeconfigFile);
  return {
    api,
    createNamespace: async (name) => {
      await api.create(
        { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false },
        { metadata: { name } },
      );
    },
    stop: async () => {
      api.close();
      await sim.stop();
      await rm(folder, { recursive: true });
    },
  };
});

const missing = await ensureApiServerBinaries({ download: false }).then(
  () => undefined,
  (error: unknown) => error,
);

if (missing instanceof ApiServerBinariesMissing)
  leaveOut('the contract of API servers on a real kube-apiserver', missing.message);
else {
  kubeApiContract('kube-apiserver and etcd', async () => {
    const server = await startRealApiServer();
    const api = connect(server.kubeconfig);
    return {
      api,
      createNamespace: server.createNamespace,
      stop: async () => {
        api.close();
        await server.stop();
      },
    };
  });
}
