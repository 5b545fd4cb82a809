import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HttpKubeApi, type KubeObject, loadKubeConfig, RateLimiter } from '@sidestep/kube';
import { createLogger, createMetrics } from '@sidestep/observability';
import { type KubeSim, startKubeSim } from '@sidestep/testkit';
import { pod, sidecarSet } from '../test/reviews.js';
import { CRD, MUTATING, SECRET, SIDECAR_SET } from './cluster/kinds.js';
import { readConfig } from './config.js';
import { WebhookApp } from './webhook-app.js';

const POD = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
const V1ALPHA1 = { ...SIDECAR_SET, version: 'v1alpha1' };
const deploy = (path: string) => join(import.meta.dirname, '../../../deploy', path);

let dir: string;
let sim: KubeSim;
let api: HttpKubeApi;
let app: WebhookApp;
let url: string;
let healthUrl: string;

const eventually = async (what: string, holds: () => Promise<boolean>) => {
  const deadline = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const newApp = (port: string) => {
  const config = readConfig({
    KUBECONFIG: join(dir, 'kubeconfig'),
    SIDESTEP_WEBHOOK_HOST: '127.0.0.1',
    SIDESTEP_WEBHOOK_PORT: port,
    SIDESTEP_WEBHOOK_URL: `https://127.0.0.1:${port}`,
    SIDESTEP_HEALTH_HOST: '127.0.0.1',
    SIDESTEP_HEALTH_PORT: '0',
    SIDESTEP_DRAIN_SECONDS: '0',
  });
  return new WebhookApp(
    config,
    createLogger({ name: 'webhook', level: 'silent' }),
    createMetrics({ processMetrics: false }),
  );
};

const ready = () => eventually('the webhook is ready', async () => (await fetch(`${healthUrl}/readyz`)).ok);

/** A free port, for the address in the webhook configurations is written before anybody listens there. */
const freePort = () =>
  new Promise<string>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(String(port)));
    });
  });

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'webhook-'));
  const kubeconfigFile = join(dir, 'kubeconfig');
  sim = await startKubeSim({ kubeconfigFile, manifests: [deploy('crds'), deploy('kustomize/base')] });
  const connection = loadKubeConfig({ kubeconfig: kubeconfigFile });
  api = new HttpKubeApi({ connection, limiter: new RateLimiter({ qps: 1_000, burst: 1_000 }) });
  app = newApp(await freePort());
  ({ url, healthUrl } = await app.start());
  await ready();
}, 60_000);

afterAll(async () => {
  await app?.stop();
  api?.close();
  await sim?.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('the webhook, called by an API server over TLS', () => {
  test('is found and trusted through the shipped configurations', async () => {
    const configuration = await api.get<KubeObject & { webhooks: { clientConfig: Record<string, string> }[] }>(
      MUTATING,
      {
        name: 'sidestep-mutating-webhook-configuration',
      },
    );
    expect(configuration.webhooks[0]?.clientConfig).toEqual({ url: `${url}/mutate-pod`, caBundle: expect.any(String) });
  });

  test('gives a SidecarSet its hashes and a pod its sidecar', async () => {
    const stored = await api.create(
      SIDECAR_SET,
      sidecarSet({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } } }),
    );
    expect(stored.metadata.annotations).toHaveProperty(['kruise.io/sidecarset-hash']);
    const create = (name: string) =>
      api.create<KubeObject & { spec: { containers: { name: string }[] } }>(POD, {
        ...pod(),
        metadata: { name, namespace: 'default', labels: { app: 'web' } },
      });
    let serial = 0;
    await eventually('pods are injected', async () => {
      const { spec } = await create(`web-${serial++}`);
      return spec.containers.map(({ name }) => name).join() === 'mesh,app';
    });
  });

  test('refuses a SidecarSet that breaks a rule', async () => {
    await expect(api.create(SIDECAR_SET, sidecarSet({ selector: {} }, 'bad'))).rejects.toMatchObject({
      status: 422,
      message: expect.stringMatching(/^admission webhook "vsidecarset.kb.io" denied the request: spec.selector: /),
    });
  });

  test('converts between the versions', async () => {
    const selector = { matchLabels: { app: 'other' } };
    const object = { ...sidecarSet({ namespace: 'default', selector }, 'old'), apiVersion: 'apps.kruise.io/v1alpha1' };
    await api.create(V1ALPHA1, object);
    expect(await api.get(SIDECAR_SET, { name: 'old' })).toMatchObject({
      spec: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } } },
    });
    expect(await api.get(V1ALPHA1, { name: 'old' })).toMatchObject({ spec: { namespace: 'default' } });
  });

  test('puts its registration right again when somebody applies the shipped one', async () => {
    const conversion = '/spec/conversion/webhook/clientConfig';
    const service = { name: 'sidestep-webhook-conversion', namespace: 'kruise-system', path: '/convert' };
    const ref = { name: 'sidecarsets.apps.kruise.io' };
    await api.patch(CRD, ref, [{ op: 'replace', path: conversion, value: { service } }], { type: 'json' });
    await eventually('the address is back', async () =>
      JSON.stringify(await api.get(CRD, ref)).includes(`${url}/convert`),
    );
  });

  test('serves by a new authority, and is trusted with it, when the old one is gone', async () => {
    const ref = { namespace: 'kruise-system', name: 'sidestep-webhook-ca' };
    const bundle = async () =>
      JSON.stringify((await api.get(MUTATING, { name: 'sidestep-mutating-webhook-configuration' })).webhooks);
    const before = await bundle();
    await api.delete(SECRET, ref);
    await eventually('the bundle is another one', async () => (await bundle()) !== before);
    await ready();
    await eventually('pods can be created', async () => {
      const metadata = { name: 'after', namespace: 'default', labels: { app: 'web' } };
      return api.create(POD, { ...pod(), metadata }).then(
        () => true,
        () => false,
      );
    });
  });

  test('tells its metrics', async () => {
    const text = await (await fetch(`${healthUrl}/metrics`)).text();
    expect(text).toMatch(/sidestep_admission_seconds_count\{webhook="mutate-pod",result="patched"\} [1-9]/);
    expect(text).toMatch(/sidestep_reflector_objects\{resource="sidecarsets"\} [1-9]/);
    expect(text).toMatch(/sidestep_certificate_expiry_timestamp_seconds \d{10}/);
  });

  test('answers other paths and methods with 404', async () => {
    const { get } = await import('node:https');
    const status = (path: string) =>
      new Promise((resolve) =>
        get(`${url}${path}`, { rejectUnauthorized: false }, (response) => resolve(response.resume().statusCode)),
      );
    expect([await status('/'), await status('/mutate-pod')]).toEqual([404, 404]);
  });
});
