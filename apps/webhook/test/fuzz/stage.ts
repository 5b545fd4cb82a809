import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, createMetrics } from '@sidestep/observability';
import { freePort, startKubeSim } from '@sidestep/testkit';
import { readConfig } from '../../src/config.js';
import { WebhookApp } from '../../src/webhook-app.js';

export interface HttpAnswer {
  status: number;
  text: string;
}

/** A webhook behind TLS, and the API server that it serves. */
export interface FuzzStage {
  /** Posts to the webhook. Rejects when it does not answer. */
  post(path: string, body: string, contentType: string): Promise<HttpAnswer>;
  /** What the API server says to the creation, without storing anything. */
  dryRun(path: string, object: unknown): Promise<HttpAnswer>;
  create(path: string, object: unknown): Promise<HttpAnswer>;
  isReady(): Promise<boolean>;
  /** The API server accepts connections and answers nothing at all until it is thawed. */
  freezeApiServer(): void;
  thawApiServer(): void;
  stop(): Promise<void>;
}

const deploy = (path: string) => join(import.meta.dirname, '../../../../deploy', path);

/** Starts both with everything in `deploy/` applied, so that the API server calls the webhook as it would in a cluster. */
async function startStage(): Promise<FuzzStage> {
  const folder = mkdtempSync(join(tmpdir(), 'webhook-fuzz-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const sim = await startKubeSim({ kubeconfigFile: kubeconfig, manifests: [deploy('crds'), deploy('kustomize/base')] });
  const port = await freePort();
  const config = readConfig({
    KUBECONFIG: kubeconfig,
    SIDESTEP_WEBHOOK_HOST: '127.0.0.1',
    SIDESTEP_WEBHOOK_PORT: String(port),
    SIDESTEP_WEBHOOK_URL: `https://127.0.0.1:${port}`,
    SIDESTEP_HEALTH_HOST: '127.0.0.1',
    SIDESTEP_HEALTH_PORT: '0',
    SIDESTEP_DRAIN_SECONDS: '0',
  });
  const log = createLogger({ name: 'webhook', level: 'silent' });
  const app = new WebhookApp(config, log, createMetrics({ processMetrics: false }));
  const { url, healthUrl } = await app.start();
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  return {
    post: (path, body, contentType) => post(agent, `${url}${path}`, body, contentType),
    dryRun: (path, object) => fetchJson(`${sim.url}${path}?dryRun=All`, object),
    create: (path, object) => fetchJson(`${sim.url}${path}`, object),
    isReady: async () => (await fetch(`${healthUrl}/readyz`)).ok,
    freezeApiServer: () => sim.faults.freeze(),
    thawApiServer: () => sim.faults.thaw(),
    stop: async () => {
      agent.destroy();
      await app.stop();
      await sim.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The stage once the webhook is ready, these SidecarSets are stored, and this pod gets what they inject. An API server takes a moment
 * to hear that its webhooks can be trusted.
 */
export async function startStageWith(sets: readonly unknown[], pod: unknown, injected: string): Promise<FuzzStage> {
  const stage = await startStage();
  await eventually('the webhook is ready', () => stage.isReady());
  for (const set of sets) {
    await eventually('a SidecarSet is stored', async () => (await stage.create(SETS_PATH, set)).status === 201);
  }
  await eventually('pods are injected', async () => (await stage.dryRun(PODS_PATH, pod)).text.includes(injected));
  return stage;
}

/** Where the API server takes SidecarSets and pods. */
export const SETS_PATH = '/apis/apps.kruise.io/v1beta1/sidecarsets';
export const PODS_PATH = '/api/v1/namespaces/default/pods';

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function post(agent: Agent, url: string, body: string, contentType: string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
    const outgoing = request(url, { method: 'POST', agent, headers }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.once('error', reject);
      incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function fetchJson(url: string, object: unknown): Promise<HttpAnswer> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(object) });
  return { status: response.status, text: await response.text() };
}
