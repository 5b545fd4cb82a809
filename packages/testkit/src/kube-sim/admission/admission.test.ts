import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { HttpKubeApi, type KubeObject, loadKubeConfig, type ResourceKind } from '@sidestep/kube';
import { CONFIG_MAPS, CRDS, configMap, MUTATING, refusal, VALIDATING } from '../../kube-contract/subject.js';
import { patchAnswer, startWebhookServer, type WebhookServer } from '../../kube-contract/webhook-server.js';
import { CertificateAuthority } from '../../real-api-server/certificates.js';
import { startKubeSim } from '../start.js';
import type { KubeSim } from '../types.js';

type Open = Record<string, unknown>;

const configuration = (kind: string, ...webhooks: Open[]): KubeObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata: { name: `config-${(webhooks[0] as { name: string }).name}` },
  webhooks: webhooks.map((webhook) => ({ sideEffects: 'None', admissionReviewVersions: ['v1'], ...webhook })),
});
const onConfigMaps = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }];

describe('admission in kube-sim', () => {
  let folder: string;
  let sim: KubeSim;
  let api: HttpKubeApi;
  let webhook: WebhookServer;
  let answer: (request: Open, path: string) => object;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sidestep-admission-'));
    const kubeconfig = path.join(folder, 'kubeconfig');
    sim = await startKubeSim({ kubeconfigFile: kubeconfig });
    api = new HttpKubeApi({ connection: loadKubeConfig({ kubeconfig }) });
    answer = () => ({ allowed: true });
    webhook = await startWebhookServer((request, at) => answer(request, at));
  });

  afterEach(async () => {
    api.close();
    await sim.stop();
    await webhook.stop();
    await rm(folder, { recursive: true });
  });

  const at = (where: string): Open => ({ clientConfig: { url: webhook.url(where), caBundle: webhook.caBundle } });

  test('a webhook named by a service is reached where the test says, under the name of the service', async () => {
    const authority = await CertificateAuthority.create();
    const { certificate, key } = await authority.server(['hook.system.svc'], []);
    let asked: string | undefined;
    const server: Server = createServer({ cert: certificate, key }, (request, response) => {
      asked = request.url;
      let text = '';
      request.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      request.once('end', () => {
        const { uid } = (JSON.parse(text) as { request: { uid: string } }).request;
        response.end(JSON.stringify({ response: { uid, allowed: false, status: { message: 'reached' } } }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const service = { namespace: 'system', name: 'hook', path: '/validate' };
    const clientConfig = { service, caBundle: Buffer.from(authority.certificate).toString('base64') };
    await api.create(
      VALIDATING,
      configuration('ValidatingWebhookConfiguration', { name: 'v', clientConfig, rules: onConfigMaps }),
    );
    expect((await refusal(api.create(CONFIG_MAPS, configMap('default', 'a')))).message).toContain(
      'service "hook" not found',
    );
    sim.setService('system', 'hook', `https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect((await refusal(api.create(CONFIG_MAPS, configMap('default', 'a')))).message).toContain(
      'denied the request: reached',
    );
    expect(asked).toBe('/validate?timeout=10s');
    server.closeAllConnections();
    server.close();
  });

  test('a certificate of another authority is not trusted, until the bundle is right', async () => {
    const other = await CertificateAuthority.create();
    const wrong = {
      clientConfig: { url: webhook.url('/x'), caBundle: Buffer.from(other.certificate).toString('base64') },
    };
    await api.create(
      VALIDATING,
      configuration('ValidatingWebhookConfiguration', { name: 'v', ...wrong, rules: onConfigMaps }),
    );
    expect(await refusal(api.create(CONFIG_MAPS, configMap('default', 'a')))).toMatchObject({ status: 500 });
    const fix = [{ op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value: webhook.caBundle }];
    await api.patch(VALIDATING, { name: 'config-v' }, fix, { type: 'json' });
    await api.create(CONFIG_MAPS, configMap('default', 'a'));
  });

  test('a webhook that takes longer than it may has failed', async () => {
    const { port } = new URL(webhook.url('/'));
    const silent = createServer((request) => request.resume());
    expect(Number(port)).toBeGreaterThan(0);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const clientConfig = {
      url: `https://127.0.0.1:${(silent.address() as AddressInfo).port}/`,
      caBundle: webhook.caBundle,
    };
    await api.create(
      VALIDATING,
      configuration('ValidatingWebhookConfiguration', {
        name: 'v',
        clientConfig,
        rules: onConfigMaps,
        timeoutSeconds: 1,
      }),
    );
    expect(await refusal(api.create(CONFIG_MAPS, configMap('default', 'a')))).toMatchObject({ status: 500 });
    silent.closeAllConnections();
    silent.close();
  });

  test('webhooks are called by name of their configuration; one that asks for it sees later changes', async () => {
    const seen: string[] = [];
    answer = (request, where) => {
      const { data = {} } = request.object as { data?: Record<string, string> };
      seen.push(`${where} ${Object.keys(data).join()}`);
      return data[where.slice(1)]
        ? { allowed: true }
        : patchAnswer([{ op: 'add', path: '/data', value: { ...data, [where.slice(1)]: 'x' } }]);
    };
    await api.create(
      MUTATING,
      configuration('MutatingWebhookConfiguration', { name: 'b', ...at('/b'), rules: onConfigMaps }),
    );
    await api.create(
      MUTATING,
      configuration('MutatingWebhookConfiguration', {
        name: 'a',
        ...at('/a'),
        rules: onConfigMaps,
        reinvocationPolicy: 'IfNeeded',
      }),
    );
    await api.create<KubeObject>(CONFIG_MAPS, { metadata: { name: 'm', namespace: 'default' } });
    expect(seen).toEqual(['/a ', '/b a', '/a a,b']);
  });

  test('deleting asks too, with the old object only', async () => {
    await api.create(CONFIG_MAPS, configMap('default', 'kept', { keep: 'yes' }));
    answer = (request) => ({ allowed: request.operation !== 'DELETE', status: { message: 'kept', code: 403 } });
    await api.create(
      VALIDATING,
      configuration('ValidatingWebhookConfiguration', { name: 'v', ...at('/v'), rules: onConfigMaps }),
    );
    const refused = await refusal(api.delete(CONFIG_MAPS, { namespace: 'default', name: 'kept' }));
    expect(refused).toMatchObject({ status: 403, message: 'admission webhook "v" denied the request: kept' });
    expect(webhook.asked.at(-1)?.request).toMatchObject({
      operation: 'DELETE',
      object: null,
      oldObject: { data: { keep: 'yes' } },
    });
  });

  test('warnings of a webhook reach the client as headers', async () => {
    answer = () => ({ allowed: true, warnings: ['mind the "gap"', 'mind the "gap"', 'ünd'] });
    await api.create(
      VALIDATING,
      configuration('ValidatingWebhookConfiguration', { name: 'v', ...at('/v'), rules: onConfigMaps }),
    );
    const body = JSON.stringify(configMap('default', 'warned'));
    const headers = { 'content-type': 'application/json' };
    const { headers: got } = await fetch(`${sim.url}/api/v1/namespaces/default/configmaps`, {
      method: 'POST',
      body,
      headers,
    });
    expect(got.get('warning')).toBe('299 - "mind the \\"gap\\"", 299 - "?nd"');
  });

  test('a patch that does not apply is the fault of the webhook, not of the client', async () => {
    answer = () => patchAnswer([{ op: 'remove', path: '/data/ghost' }]);
    await api.create(
      MUTATING,
      configuration('MutatingWebhookConfiguration', { name: 'm', ...at('/m'), rules: onConfigMaps }),
    );
    const refused = await refusal(api.create(CONFIG_MAPS, configMap('default', 'a')));
    expect(refused).toMatchObject({ status: 500, reason: 'InternalError' });
  });

  test('a webhook for one version of a kind is called for the others too, converted, unless it wants exactly that one', async () => {
    const gadgets = (version: string): ResourceKind => ({
      group: 'test.dev',
      version,
      plural: 'gadgets',
      kind: 'Gadget',
      namespaced: false,
    });
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    await api.create<KubeObject>(CRDS, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'gadgets.test.dev' },
      spec: {
        group: 'test.dev',
        scope: 'Cluster',
        names: { plural: 'gadgets', kind: 'Gadget' },
        versions: [
          { name: 'v1', served: true, storage: true, schema },
          { name: 'v1alpha1', served: true, storage: false, schema },
        ],
      },
    });
    const rules = [{ apiGroups: ['test.dev'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['gadgets'] }];
    const hooks = [
      { name: 'like', ...at('/equivalent'), rules },
      { name: 'exact', ...at('/exact'), rules, matchPolicy: 'Exact' },
    ];
    await api.create(VALIDATING, configuration('ValidatingWebhookConfiguration', ...hooks));
    await api.create(gadgets('v1alpha1'), { apiVersion: 'test.dev/v1alpha1', kind: 'Gadget', metadata: { name: 'g' } });
    expect(webhook.asked.map((one) => one.path)).toEqual(['/equivalent']);
    expect(webhook.asked[0]?.request).toMatchObject({
      kind: { version: 'v1' },
      requestKind: { version: 'v1alpha1' },
      object: { apiVersion: 'test.dev/v1' },
    });
  });
});
