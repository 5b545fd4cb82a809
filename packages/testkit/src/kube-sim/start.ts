import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { Api } from './api.js';
import { DataDir } from './durable/data-dir.js';
import { Freezer, faultControl } from './fault-gate.js';
import { FaultRules, seededRandom } from './faults.js';
import { kubeconfigFor } from './kubeconfig.js';
import { ApiHttpServer } from './server.js';
import { RequestStats } from './stats.js';
import type { KubeSim, KubeSimOptions, KubeSimStats, SimObject } from './types.js';
import { Watches } from './watches.js';

const JOURNAL_BYTES = 16 * 1024 * 1024;

/** Starts an API server in this process. It needs nothing installed, and without `dataDir` it keeps everything in memory. */
export async function startKubeSim(options: KubeSimOptions = {}): Promise<KubeSim> {
  const dataDir = options.dataDir === undefined ? undefined : new DataDir(options.dataDir);
  try {
    return await start(options, dataDir);
  } catch (error) {
    dataDir?.close();
    throw error;
  }
}

async function start(options: KubeSimOptions, dataDir: DataDir | undefined): Promise<KubeSim> {
  const stats = new RequestStats();
  const rules = new FaultRules(seededRandom(options.seed ?? 1));
  const freezer = new Freezer();
  const api = new Api(options.watchHistory ?? 20_000, options.services ?? {}, (hook) =>
    stats.add('webhook', hook, 'kube-sim', 200),
  );
  const watches = new Watches(
    api.store,
    api.versions,
    api.reads,
    {
      fateOf: ({ resource }, userAgent, type, { namespace, name }) =>
        rules.forEvent(type, {
          verb: 'watch',
          resource: resource.plural,
          subresource: undefined,
          namespace,
          name,
          userAgent,
        }),
      onSent: () => {
        stats.watchEvents += 1;
      },
    },
    options.bookmarkSeconds ?? 60,
  );
  await api.bootstrap(dataDir?.saved);
  for (const object of await readManifests(options.manifests ?? [])) await api.createMissing(object);
  let sim: KubeSim | undefined;
  const server = new ApiHttpServer({ api, watches, rules, stats, freezer, sim: () => sim as KubeSim });
  const fail = (error: Error): void => {
    void server.close();
    options.onFailure?.(error);
  };
  if (dataDir) {
    const leastBytes = options.journalBytes ?? JOURNAL_BYTES;
    api.store.keepIn(dataDir.keep({ everything: () => api.store.records(), leastBytes, onFailure: fail }));
  }
  const address = await listen(server, options, dataDir);
  dataDir?.keepPort(address.port);
  const url = `http://${address.address}:${address.port}`;
  const kubeconfig = kubeconfigFor(url);
  if (options.kubeconfigFile) await writeFile(options.kubeconfigFile, kubeconfig, { mode: 0o600 });
  sim = {
    url,
    kubeconfig,
    faults: faultControl(rules, freezer, {
      cutWatches: (resource) => watches.cut(resource),
      compact: () => {
        api.store.compactAll();
        api.reads.pages.forget();
      },
    }),
    setService: (namespace, name, target) => api.webhooks.setService(namespace, name, target),
    stats: () => snapshot(api, watches, stats),
    resetStats: () => stats.reset(),
    stop: async () => {
      freezer.thaw();
      watches.closeAll();
      api.webhooks.close();
      await server.close();
      dataDir?.close();
    },
  };
  return sim;
}

const PORT_DEADLINE_MS = 10_000;
const PORT_RETRY_MS = 100;

/** On the port that clients of the data directory know, which a short connection of somebody else may have for a moment. */
async function listen(
  server: ApiHttpServer,
  options: KubeSimOptions,
  dataDir: DataDir | undefined,
): Promise<AddressInfo> {
  const host = options.host ?? '127.0.0.1';
  const port = options.port || dataDir?.port || 0;
  const patience = dataDir?.port === undefined ? 0 : PORT_DEADLINE_MS;
  for (const since = Date.now(); ; await wait(PORT_RETRY_MS)) {
    try {
      return await server.listen(port, host);
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isTaken || Date.now() - since > patience) throw error;
    }
  }
}

function snapshot(api: Api, watches: Watches, stats: RequestStats): KubeSimStats {
  const { user, system } = process.cpuUsage();
  return {
    requests: stats.list(),
    objects: api.store.count(),
    openWatches: watches.count,
    watchEventsSent: stats.watchEvents,
    cpuMs: Math.round((user + system) / 1000),
    rssBytes: process.memoryUsage.rss(),
  };
}

/** Objects of YAML files and folders; definitions and namespaces first, because the rest needs them. */
export async function readManifests(paths: readonly string[]): Promise<SimObject[]> {
  const objects: SimObject[] = [];
  for (const file of await yamlFiles(paths)) {
    for (const document of parseAllDocuments(await readFile(file, 'utf8'))) {
      const object = document.toJS() as SimObject & { items?: SimObject[] };
      if (object?.kind === 'List') objects.push(...(object.items ?? []));
      else if (object?.kind && object.kind !== 'Kustomization') objects.push(object);
    }
  }
  const rank = ({ kind }: SimObject): number =>
    kind === 'CustomResourceDefinition' ? 0 : kind === 'Namespace' ? 1 : 2;
  return objects.sort((a, b) => rank(a) - rank(b));
}

async function yamlFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const one of paths) {
    if (!(await stat(one)).isDirectory()) files.push(one);
    else
      files.push(
        ...(await readdir(one))
          .filter((name) => /\.ya?ml$/.test(name))
          .sort()
          .map((name) => path.join(one, name)),
      );
  }
  return files;
}
