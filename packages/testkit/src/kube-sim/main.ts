import { parseArgs } from 'node:util';
import { startKubeSim } from './start.js';

const USAGE = `kube-sim: an API server in memory

  --host HOST              address to listen on (127.0.0.1)
  --port PORT              0 takes any free port (0)
  --kubeconfig-out FILE    where to write a kubeconfig for it
  --crds PATH              YAML file or folder to load before answering; may be given several times, or with several paths
  --service NS/NAME=URL    where a Service named by a webhook configuration is reached; may be given several times
  --bookmark-seconds N     seconds between bookmarks (60)
  --seed N                 seed of faults that have a probability (1)

Prints one JSON line once it answers. SIGTERM stops it. Faults and counters: /sim/faults, /sim/stats.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    'kubeconfig-out': { type: 'string' },
    crds: { type: 'string', multiple: true, default: [] },
    service: { type: 'string', multiple: true, default: [] },
    'bookmark-seconds': { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const services = Object.fromEntries(
  values.service.map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)];
  }),
);

const sim = await startKubeSim({
  host: values.host,
  port: Number(values.port),
  manifests: [...values.crds, ...positionals],
  services,
  bookmarkSeconds: Number(values['bookmark-seconds']),
  seed: Number(values.seed),
  ...(values['kubeconfig-out'] ? { kubeconfigFile: values['kubeconfig-out'] } : {}),
});
console.log(JSON.stringify({ url: sim.url, kubeconfig: values['kubeconfig-out'] ?? null, pid: process.pid }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void sim.stop().then(() => process.exit(0));
  });
}
