import { startRealApiServer } from './start.js';

// `node real-api-server/main.js [--download]`: etcd and kube-apiserver until SIGTERM; one JSON line once they answer.
const server = await startRealApiServer({ download: process.argv.includes('--download') }).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
const { url, kubeconfig, apiServerPid, etcdPid, binaries } = server;
console.log(JSON.stringify({ url, kubeconfig, apiServerPid, etcdPid, kubectl: binaries.kubectl }));

const keepAlive = setInterval(() => undefined, 60_000);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    clearInterval(keepAlive);
    void server.stop().then(() => process.exit(0));
  });
}
