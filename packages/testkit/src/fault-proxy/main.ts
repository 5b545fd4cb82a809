import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadKubeConfig } from '@sidestep/kube';
import { startFaultProxy } from './fault-proxy.js';

const USAGE = `fault-proxy: an API server with faults in front of another one

  --kubeconfig FILE        the API server behind, as a user who may impersonate others
  --kubeconfig-out FILE    where to write a kubeconfig for the proxy
  --user NAME              the user of that kubeconfig; default the one of --kubeconfig
  --port PORT              0 takes any free port (0)

Prints one JSON line once it answers. SIGTERM stops it. Faults and counters: /sim/faults, /sim/stats.`;

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    'kubeconfig-out': { type: 'string' },
    user: { type: 'string' },
    port: { type: 'string', default: '0' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help || !values.kubeconfig) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}

const connection = loadKubeConfig({ kubeconfig: values.kubeconfig });
const proxy = await startFaultProxy({ connection, port: Number(values.port) });
const out = values['kubeconfig-out'];
if (out) await writeFile(out, proxy.kubeconfigFor(values.user), { mode: 0o600 });
console.log(JSON.stringify({ url: proxy.url, kubeconfig: out ?? null, pid: process.pid }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void proxy.stop().then(() => process.exit(0));
  });
}
