import { type ParseArgsConfig, parseArgs } from 'node:util';
import { DataDirError } from './durable/data-dir-error.js';
import { startKubeSim } from './start.js';
import type { KubeSimOptions } from './types.js';

const USAGE = `kube-sim: an API server that needs nothing installed

  --host HOST              address to listen on (127.0.0.1)
  --port PORT              0 takes any free port, or the one that the data directory knows (0)
  --kubeconfig-out FILE    where to write a kubeconfig for it
  --crds PATH              YAML file or folder to load before answering; may be given several times, or with several paths
  --data-dir DIR           keep every write there before it is answered, and go on from there; without it all is in memory
  --service NS/NAME=URL    where a Service named by a webhook configuration is reached; may be given several times
  --bookmark-seconds N     seconds between bookmarks (60)
  --seed N                 seed of faults that have a probability (1)

Prints one JSON line once it answers. SIGTERM stops it. Faults and counters: /sim/faults, /sim/stats.
With --data-dir, SIGKILL at any moment loses nothing that was answered: start it again with the same arguments. Clients find it on the
same port; a watch that saw everything goes on, any other gets 410. Faults, counters and services that were set over HTTP are forgotten.`;

const OPTIONS = {
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '0' },
  'kubeconfig-out': { type: 'string' },
  crds: { type: 'string', multiple: true, default: [] as string[] },
  'data-dir': { type: 'string' },
  service: { type: 'string', multiple: true, default: [] as string[] },
  'bookmark-seconds': { type: 'string', default: '60' },
  seed: { type: 'string', default: '1' },
  help: { type: 'boolean', default: false },
} satisfies ParseArgsConfig['options'];

const quit = (line: string, code: number): never => {
  console.error(line);
  process.exit(code);
};

const parsed = () => {
  try {
    return parseArgs({ allowPositionals: true, options: OPTIONS });
  } catch (error) {
    return quit(`kube-sim: ${(error as Error).message}; --help lists what there is`, 2);
  }
};

const numberOf = (flag: string, text: string, high: number): number =>
  /^\d+(\.\d+)?$/.test(text) && Number(text) <= high
    ? Number(text)
    : quit(`kube-sim: --${flag} ${text}: a number from 0 to ${high} is allowed`, 2);

const { values, positionals } = parsed();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const pairOf = (pair: string): [string, string] => {
  const at = pair.indexOf('=');
  return [pair.slice(0, at), pair.slice(at + 1)];
};

const options: KubeSimOptions = {
  host: values.host,
  port: numberOf('port', values.port, 65_535),
  manifests: [...values.crds, ...positionals],
  services: Object.fromEntries(values.service.map(pairOf)),
  bookmarkSeconds: numberOf('bookmark-seconds', values['bookmark-seconds'], 86_400),
  seed: numberOf('seed', values.seed, Number.MAX_SAFE_INTEGER),
  onFailure: ({ message }) => quit(`kube-sim: ends, for its journal could not be written: ${message}`, 1),
  ...(values['kubeconfig-out'] ? { kubeconfigFile: values['kubeconfig-out'] } : {}),
  ...(values['data-dir'] ? { dataDir: values['data-dir'] } : {}),
};

/** What the system or a wrong file refuses is one line; anything else is a defect and shows where it is. */
const whyNot = (error: unknown): string => {
  const { message, code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof DataDirError) return `${message}. ${error.hint}`;
  if (code === 'EADDRINUSE') return `${message}. Somebody else has the port; --port gives it another one.`;
  if (syscall !== undefined) return message;
  throw error;
};

const sim = await startKubeSim(options).catch((error: unknown) => quit(`kube-sim: ${whyNot(error)}`, 1));
console.log(JSON.stringify({ url: sim.url, kubeconfig: values['kubeconfig-out'] ?? null, pid: process.pid }));

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void sim.stop().then(() => process.exit(0));
  });
}
