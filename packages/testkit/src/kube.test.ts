import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HttpKubeApi, loadKubeConfig, RateLimiter } from '@sidestep/kube';
import { type ApiServerUnderTest, kubeApiContract } from './kube.contract.js';
import { startKubeSim } from './kube-sim/start.js';
import type { KubeSimOptions } from './kube-sim/types.js';
import { leaveOut } from './left-out.js';
import { ApiServerBinariesMissing, ensureApiServerBinaries } from './real-api-server/binaries.js';
import { startRealApiServer } from './real-api-server/start.js';
import { removeScratch } from './scratch/remove-scratch.js';

const connect = (kubeconfig: string): HttpKubeApi =>
  new HttpKubeApi({
    connection: loadKubeConfig({ kubeconfig }),
    limiter: new RateLimiter({ qps: 10_000, burst: 10_000 }),
  });

const NAMESPACES = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };

const simUnderTest = async (folder: string, options: KubeSimOptions): Promise<ApiServerUnderTest> => {
  const kubeconfigFile = path.join(folder, 'kubeconfig');
  const sim = await startKubeSim({ ...options, kubeconfigFile });
  const api = connect(kubeconfigFile);
  return {
    api,
    createNamespace: async (name) => {
      await api.create(NAMESPACES, { metadata: { name } });
    },
    stop: async () => {
      api.close();
      await sim.stop();
    },
  };
};

const newFolder = (): Promise<string> => mkdtemp(path.join(tmpdir(), 'sidestep-contract-'));

kubeApiContract('kube-sim', async () => {
  const folder = await newFolder();
  const server = await simUnderTest(folder, {});
  return { ...server, stop: () => server.stop().then(() => removeScratch(folder)) };
});

kubeApiContract('kube-sim with a data directory', async () => {
  const folder = await newFolder();
  const server = await simUnderTest(folder, { dataDir: path.join(folder, 'data'), journalBytes: 100_000 });
  return { ...server, stop: () => server.stop().then(() => removeScratch(folder)) };
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
