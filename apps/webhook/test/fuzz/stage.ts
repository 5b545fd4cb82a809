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
export async function startStage(): Promise<FuzzStage> {
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
