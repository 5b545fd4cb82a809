import { request as plainRequest } from 'node:http';
import { get, request } from 'node:https';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HttpKubeApi, type KubeObject, loadKubeConfig, RateLimiter } from '@sidestep/kube';
import { createLogger, createMetrics } from '@sidestep/observability';
import { freePort } from '@sidestep/testkit';
import { pod, podRequest, review, sidecarSet } from '../test/reviews.js';
import { CRD, MUTATING, SECRET, SIDECAR_SET, VALIDATING } from './cluster/kinds.js';
import { readConfig } from './config.js';
import { WebhookApp } from './webhook-app.js';

/** An API server with everything in `deploy/` applied, and a namespace called default. */
export interface InstalledApiServer {
  /** Of an administrator. */
  kubeconfig: string;
  /** Of the webhook's service account. */
  webhookKubeconfig: string;
  stop(): Promise<void>;
}

const POD = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };
const V1ALPHA1 = { ...SIDECAR_SET, version: 'v1alpha1' };

const eventually = async (what: string, holds: () => Promise<boolean>) => {
  const deadline = Date.now() + 100_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** The address in the webhook configurations is written before anybody listens there, so its port is chosen first. */
const newApp = (kubeconfig: string, port: number) => {
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
  return new WebhookApp(config, log, createMetrics({ processMetrics: false }));
};

/** Posts as an API server does; resolves with the answer. */
const post = (url: string, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const outgoing = request(url, { method: 'POST', headers, rejectUnauthorized: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });

/** Deletes a SidecarSet; resolves with the Warning header that an administrator gets to read. */
async function warningOfDeletion(kubeconfig: string, name: string, query = ''): Promise<string> {
  const connection = loadKubeConfig({ kubeconfig });
  const { headers, tls } = await connection.credentials();
  const send = connection.server.startsWith('https:') ? request : plainRequest;
  return new Promise((resolve, reject) => {
    const url = `${connection.server}/apis/apps.kruise.io/v1beta1/sidecarsets/${name}${query}`;
    const outgoing = send(url, { method: 'DELETE', headers, ...tls }, (incoming) => {
      incoming.resume().once('end', () => resolve(String(incoming.headers.warning)));
    });
    outgoing.once('error', reject).end();
  });
}

/** What the webhook does when an API server calls it over TLS, through the shipped configurations and permissions. */
export function describeWebhookOn(name: string, start: () => Promise<InstalledApiServer>): void {
  describe(`the webhook, called by ${name}`, () => {
    let server: InstalledApiServer;
    let api: HttpKubeApi;
    let app: WebhookApp;
    let url: string;
    let healthUrl: string;

    let isStopped = false;
    const stopServer = async () => {
      if (!isStopped) await server?.stop();
      isStopped = true;
    };

    const ready = () => eventually('the webhook is ready', async () => (await fetch(`${healthUrl}/readyz`)).ok);

    const createPod = (podName: string) => {
      const metadata = { name: podName, namespace: 'default', labels: { app: 'web' } };
      return api.create<KubeObject & { spec: { containers: { name: string }[] } }>(POD, { ...pod(), metadata });
    };

    beforeAll(async () => {
      server = await start();
      const limiter = new RateLimiter({ qps: 1_000, burst: 1_000 });
      api = new HttpKubeApi({ connection: loadKubeConfig({ kubeconfig: server.kubeconfig }), limiter });
      app = newApp(server.webhookKubeconfig, await freePort());
      ({ url, healthUrl } = await app.start());
      await ready();
    }, 300_000);

    afterAll(async () => {
      await app?.stop();
      api?.close();
      await stopServer();
    }, 240_000);

    test('is found and trusted through the shipped configurations', async () => {
      const ref = { name: 'sidestep-mutating-webhook-configuration' };
      const { webhooks } = await api.get<KubeObject & { webhooks: { clientConfig: object }[] }>(MUTATING, ref);
      expect(webhooks[0]?.clientConfig).toEqual({ url: `${url}/mutate-pod`, caBundle: expect.any(String) });
    });

    test('gives a SidecarSet its hashes and a pod its sidecar', async () => {
      let stored: KubeObject | undefined;
      // An API server takes a moment to hear that its webhooks can be trusted.
      await eventually('SidecarSets can be created', async () => {
        stored = await api.create(SIDECAR_SET, sidecarSet()).catch(() => undefined);
        return stored !== undefined;
      });
      expect(stored?.metadata.annotations).toHaveProperty(['kruise.io/sidecarset-hash']);
      let serial = 0;
      await eventually('pods are injected', async () => {
        serial += 1;
        const { spec } = await createPod(`web-${serial}`);
        return spec.containers.map((container) => container.name).join() === 'mesh,app';
      });
    }, 240_000);

    test('refuses a SidecarSet that breaks a rule', async () => {
      await expect(api.create(SIDECAR_SET, sidecarSet({ selector: {} }, 'bad'))).rejects.toMatchObject({
        status: 422,
        message: expect.stringMatching(/^admission webhook "vsidecarset.kb.io" denied the request: spec.selector: /),
      });
    });

    test('warns of a deletion in the middle of a rollout, which no webhook can hold up', async () => {
      const selector = { matchLabels: { app: 'leaving' } };
      const set = await api.create(SIDECAR_SET, sidecarSet({ selector }, 'leaving'));
      const status = { matchedPods: 3, updatedPods: 1, readyPods: 3, upgradingPods: 2 };
      await api.replace(SIDECAR_SET, { ...set, status }, { subresource: 'status' });
      expect(await warningOfDeletion(server.kubeconfig, 'leaving', '?dryRun=All')).toContain('2 pods are half way');
      expect(await warningOfDeletion(server.kubeconfig, 'leaving')).toContain('2 pods are half way');
      await expect(api.get(SIDECAR_SET, { name: 'leaving' })).rejects.toMatchObject({ status: 404 });
      const { webhooks } = await api.get<KubeObject & { webhooks: { rules: { operations: string[] }[] }[] }>(
        VALIDATING,
        {
          name: 'sidestep-validating-webhook-configuration',
        },
      );
      const asked = webhooks.filter(({ rules }) => rules.some(({ operations }) => operations.includes('DELETE')));
      expect(asked).toMatchObject([{ failurePolicy: 'Ignore' }]);
    });

    test('converts between the versions', async () => {
      const selector = { matchLabels: { app: 'other' } };
      const object = {
        ...sidecarSet({ namespace: 'default', selector }, 'old'),
        apiVersion: 'apps.kruise.io/v1alpha1',
      };
      await api.create(V1ALPHA1, object);
      expect(await api.get(SIDECAR_SET, { name: 'old' })).toMatchObject({
        spec: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } } },
      });
      expect(await api.get(V1ALPHA1, { name: 'old' })).toMatchObject({ spec: { namespace: 'default' } });
    });

    test('puts its registration right again when somebody applies the shipped one', async () => {
      const path = '/spec/conversion/webhook/clientConfig';
      const service = { name: 'sidestep-webhook-conversion', namespace: 'kruise-system', path: '/convert' };
      const ref = { name: 'sidecarsets.apps.kruise.io' };
      await api.patch(CRD, ref, [{ op: 'replace', path, value: { service } }], { type: 'json' });
      await eventually('the address is back', async () =>
        JSON.stringify((await api.get(CRD, ref)).spec).includes(`${url}/convert`),
      );
    }, 240_000);

    test('serves by a new authority, and is trusted with it, when the old one is gone', async () => {
      const ref = { name: 'sidestep-mutating-webhook-configuration' };
      const bundle = async () => JSON.stringify((await api.get(MUTATING, ref)).webhooks);
      const before = await bundle();
      await api.delete(SECRET, { namespace: 'kruise-system', name: 'sidestep-webhook-ca' });
      await eventually('the bundle is another one', async () => (await bundle()) !== before);
      await ready();
      await eventually('pods can be created', () =>
        createPod('after').then(
          () => true,
          () => false,
        ),
      );
    }, 240_000);

    test('tells its metrics', async () => {
      const text = await (await fetch(`${healthUrl}/metrics`)).text();
      expect(text).toMatch(/sidestep_admission_seconds_count\{webhook="mutate-pod",result="patched"\} [1-9]/);
      expect(text).toMatch(/sidestep_reflector_objects\{resource="sidecarsets"\} [1-9]/);
      expect(text).toMatch(/sidestep_certificate_expiry_timestamp_seconds \d{10}/);
    });

    test('answers other paths and methods with 404', async () => {
      const status = (path: string) =>
        new Promise((resolve) => {
          get(`${url}${path}`, { rejectUnauthorized: false }, (response) => resolve(response.resume().statusCode));
        });
      expect([await status('/'), await status('/mutate-pod')]).toEqual([404, 404]);
    });

    test('still answers, from memory and ready, when the API server is gone', async () => {
      await stopServer();
      const answer = JSON.parse(await post(`${url}/mutate-pod`, review(podRequest(pod()))));
      expect(answer.response).toMatchObject({ allowed: true, patchType: 'JSONPatch' });
      expect((await fetch(`${healthUrl}/readyz`)).status).toBe(200);
    });
  });
}
