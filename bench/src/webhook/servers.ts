import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { HttpKubeApi, type KubeObject, loadKubeConfig, RateLimiter, type ResourceKind } from '@sidestep/kube';
import { type BoundProcess, freePort, type KubeSim, startBoundProcess, startKubeSim } from '@sidestep/testkit';
import { sidecarSets } from './reviews.js';

/** A process that answers reviews. */
export interface Server {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

const SIDECAR_SET: ResourceKind = {
  group: 'apps.kruise.io',
  version: 'v1beta1',
  plural: 'sidecarsets',
  kind: 'SidecarSet',
  namespaced: false,
};

/** Creations under way at once. */
const CREATORS = 8;

/** A Nest route that only parses, and answers with this patch. */
export async function startBaseline(root: string, folder: string, patch: string): Promise<Server> {
  const file = path.join(folder, 'patch');
  writeFileSync(file, patch);
  let port = '';
  const script = path.join(root, 'bench/dist/webhook/baseline-server.js');
  const server = await startBoundProcess(process.execPath, [script, file], { onOutput: (text) => (port += text) });
  await until('the baseline listens', server, async () => /^\d+$/.test(port));
  return { url: `https://127.0.0.1:${port}/mutate-pod`, pid: server.pid, stop: () => server.stop() };
}

/** The built webhook as a process, with kube-sim behind it, and SidecarSets on demand. */
export class WebhookServer implements Server {
  #sets = 0;

  private constructor(
    private readonly root: string,
    private readonly sim: KubeSim,
    private readonly api: HttpKubeApi,
    private readonly webhook: BoundProcess,
    private readonly healthUrl: string,
    readonly url: string,
  ) {}

  get pid(): number {
    return this.webhook.pid;
  }

  static async start(root: string, folder: string): Promise<WebhookServer> {
    const kubeconfig = path.join(folder, 'kubeconfig');
    // Without the webhook configurations, so that SidecarSets get in unseen and a thousand of them take a second.
    const manifests = [path.join(root, 'deploy/crds'), path.join(root, 'deploy/kustomize/base/namespace.yaml')];
    const sim = await startKubeSim({ kubeconfigFile: kubeconfig, manifests });
    const limiter = new RateLimiter({ qps: 100_000, burst: 100_000 });
    const api = new HttpKubeApi({ connection: loadKubeConfig({ kubeconfig }), limiter });
    const [port, healthPort] = [await freePort(), await freePort()];
    const webhook = await startBoundProcess(process.execPath, [path.join(root, 'apps/webhook/dist/main.js')], {
      env: {
        PATH: process.env.PATH,
        KUBECONFIG: kubeconfig,
        SIDESTEP_WEBHOOK_HOST: '127.0.0.1',
        SIDESTEP_WEBHOOK_PORT: String(port),
        SIDESTEP_WEBHOOK_URL: `https://127.0.0.1:${port}`,
        SIDESTEP_HEALTH_HOST: '127.0.0.1',
        SIDESTEP_HEALTH_PORT: String(healthPort),
        SIDESTEP_LOG_LEVEL: 'warn',
        SIDESTEP_DRAIN_SECONDS: '0',
      },
    });
    const url = `https://127.0.0.1:${port}/mutate-pod`;
    const server = new WebhookServer(root, sim, api, webhook, `http://127.0.0.1:${healthPort}`, url);
    await until('the webhook is ready', webhook, async () => (await server.health('readyz')) !== undefined);
    return server;
  }

  /** Makes sure that there are that many SidecarSets, of which one selects the pods of the reviews. */
  async haveSidecarSets(count: number): Promise<void> {
    const missing = sidecarSets(this.root, this.#sets, count);
    this.#sets = count;
    const create = async () => {
      for (let set = missing.pop(); set; set = missing.pop()) await this.api.create(SIDECAR_SET, set as KubeObject);
    };
    await Promise.all(Array.from({ length: CREATORS }, create));
    const line = `sidestep_reflector_objects{resource="sidecarsets"} ${count}\n`;
    await until('the webhook has them', this.webhook, async () => (await this.health('metrics'))?.includes(line));
  }

  async stop(): Promise<void> {
    await this.webhook.stop();
    this.api.close();
    await this.sim.stop();
  }

  /** Undefined while it says that it is not well, or does not answer. */
  private async health(route: string): Promise<string | undefined> {
    const answer = await fetch(`${this.healthUrl}/${route}`).catch(() => undefined);
    const text = await answer?.text();
    return answer?.ok ? text : undefined;
  }
}

async function until(what: string, server: BoundProcess, holds: () => Promise<boolean | undefined>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`did not happen within a minute: ${what}\n${server.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
