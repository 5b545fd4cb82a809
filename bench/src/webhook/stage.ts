import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { defaultSidecarSet, type SidecarSet, withHashes } from '@sidestep/core';
import { HttpKubeApi, type KubeObject, loadKubeConfig, RateLimiter } from '@sidestep/kube';
import { freePort, type KubeSim, startKubeSim } from '@sidestep/testkit';
import type { LoadResult } from './load-client.js';

const SIDECAR_SET = {
  group: 'apps.kruise.io',
  version: 'v1beta1',
  plural: 'sidecarsets',
  kind: 'SidecarSet',
  namespaced: false,
};

/** The built webhook as a process, with kube-sim behind it, and SidecarSets on demand. */
export class Stage {
  private constructor(
    private readonly root: string,
    private readonly folder: string,
    private readonly sim: KubeSim,
    private readonly api: HttpKubeApi,
    private readonly webhook: ChildProcess,
    private readonly port: number,
    private readonly healthPort: number,
    private sets = 0,
  ) {}

  static async start(root: string): Promise<Stage> {
    const folder = mkdtempSync(path.join(tmpdir(), 'sidestep-bench-'));
    const kubeconfig = path.join(folder, 'kubeconfig');
    // Without the webhook configurations, so that SidecarSets get in unseen and thousands of them take a second.
    const sim = await startKubeSim({
      kubeconfigFile: kubeconfig,
      manifests: [path.join(root, 'deploy/crds'), path.join(root, 'deploy/kustomize/base/namespace.yaml')],
    });
    const limiter = new RateLimiter({ qps: 100_000, burst: 100_000 });
    const api = new HttpKubeApi({ connection: loadKubeConfig({ kubeconfig }), limiter });
    const [port, healthPort] = [await freePort(), await freePort()];
    const webhook = spawn(process.execPath, [path.join(root, 'apps/webhook/dist/main.js')], {
      stdio: ['ignore', 'ignore', 'inherit'],
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
    const stage = new Stage(root, folder, sim, api, webhook, port, healthPort);
    await stage.until('the webhook is ready', async () => (await stage.health('readyz')).startsWith('[+]'));
    return stage;
  }

  /** Makes sure that there are that many SidecarSets, of which one selects the pods of the reviews. */
  async haveSidecarSets(count: number): Promise<void> {
    const text = readFileSync(path.join(this.root, 'bench/testdata/webhook/sidecarset.json'), 'utf8');
    for (; this.sets < count; this.sets++) {
      const set = JSON.parse(text) as SidecarSet;
      if (this.sets > 0) {
        set.metadata.name = `bench-noise-${this.sets}`;
        set.spec.selector = { matchLabels: { app: `other-${this.sets}` } };
      }
      await this.api.create(SIDECAR_SET, withHashes(defaultSidecarSet(set)) as KubeObject);
    }
    await this.until('the webhook has them', async () =>
      (await this.health('metrics')).includes(`sidestep_reflector_objects{resource="sidecarsets"} ${count}`),
    );
  }

  load(review: string, clients: number, seconds: number): Promise<LoadResult> {
    return load(
      this.root,
      review,
      `https://127.0.0.1:${this.port}/mutate-pod`,
      clients,
      seconds,
      this.webhook.pid as number,
    );
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.webhook.once('exit', resolve));
    this.webhook.kill('SIGTERM');
    await ended;
    this.api.close();
    await this.sim.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async health(route: string): Promise<string> {
    try {
      return await (await fetch(`http://127.0.0.1:${this.healthPort}/${route}`)).text();
    } catch {
      return '';
    }
  }

  private async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error(`did not happen within a minute: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** The same load on the plain server, with an answer of `bytes`. */
export async function loadPlainServer(
  root: string,
  review: string,
  bytes: number,
  clients: number,
  seconds: number,
): Promise<LoadResult> {
  const folder = mkdtempSync(path.join(tmpdir(), 'sidestep-bench-'));
  const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-days', '2', '-nodes'];
  await promisify(execFile)('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    ...subject,
    '-keyout',
    key,
    '-out',
    cert,
  ]);
  const server = spawn(process.execPath, [
    path.join(root, 'bench/dist/webhook/plain-server.js'),
    cert,
    key,
    String(bytes),
  ]);
  const port = await new Promise<string>((resolve) => server.stdout.once('data', (data) => resolve(String(data))));
  try {
    return await load(root, review, `https://127.0.0.1:${port}/`, clients, seconds, server.pid as number);
  } finally {
    server.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function load(
  root: string,
  review: string,
  url: string,
  clients: number,
  seconds: number,
  pid: number,
): Promise<LoadResult> {
  const file = path.join(root, `bench/testdata/webhook/admissionreview-${review}.json`);
  const client = path.join(root, 'bench/dist/webhook/load-client.js');
  const numbers = [clients, seconds * 500, seconds * 1000, pid].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, [client, file, url, ...numbers]);
  return JSON.parse(stdout) as LoadResult;
}
