import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { HttpKubeApi, type KubeObject, loadKubeConfig } from '@sidestep/kube';
import { CONFIG_MAPS, configMap, eventually, MUTATING, refusal, Watching } from '../kube-contract/subject.js';
import { startWebhookServer } from '../kube-contract/webhook-server.js';
import { startKubeSim } from '../kube-sim/start.js';
import type { KubeSim } from '../kube-sim/types.js';
import { type FaultProxy, startFaultProxy } from './fault-proxy.js';
import { subjectOf } from './subject.js';

describe('a fault proxy', () => {
  let folder: string;
  let sim: KubeSim;
  let proxy: FaultProxy;
  let api: HttpKubeApi;

  const connect = async (name: string, text: string): Promise<HttpKubeApi> => {
    const kubeconfig = path.join(folder, name);
    await writeFile(kubeconfig, text);
    return new HttpKubeApi({ connection: loadKubeConfig({ kubeconfig }), timeoutMs: 60_000, maxDeferrals: 0 });
  };

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sidestep-proxy-'));
    const kubeconfigFile = path.join(folder, 'behind');
    sim = await startKubeSim({ kubeconfigFile });
    proxy = await startFaultProxy({ connection: loadKubeConfig({ kubeconfig: kubeconfigFile }) });
    api = await connect('front', proxy.kubeconfigFor());
  });

  afterEach(async () => {
    api.close();
    await proxy.stop();
    await sim.stop();
    await rm(folder, { recursive: true });
  });

  const write = (name: string): Promise<KubeObject> => api.create(CONFIG_MAPS, configMap('default', name));
  const watch = async (resourceVersion: string): Promise<Watching> => {
    const open = sim.stats().openWatches;
    const watching = new Watching(api, CONFIG_MAPS, { namespace: 'default', resourceVersion });
    await eventually('the watch to be open', () => (sim.stats().openWatches > open ? true : undefined));
    return watching;
  };
  const newest = async (): Promise<string> => (await api.list(CONFIG_MAPS)).metadata.resourceVersion ?? '';

  test('passes everything on unharmed, refusals and watches included', async () => {
    const watching = await watch(await newest());
    const created = await write('a');
    expect(await api.get(CONFIG_MAPS, { namespace: 'default', name: 'a' })).toEqual(created);
    expect(await refusal(write('a'))).toMatchObject({ status: 409, reason: 'AlreadyExists' });
    await watching.saw('ADDED a');
    await watching.stop();
  });

  test('strikes requests by the same rules as kube-sim', async () => {
    proxy.faults.add({
      match: { verbs: ['create'] },
      count: 1,
      effect: { kind: 'status', code: 429, retryAfterSeconds: 1 },
    });
    expect(await refusal(write('a'))).toMatchObject({ status: 429 });
    proxy.faults.add({ match: { verbs: ['create'] }, count: 1, effect: { kind: 'disconnectAfter' } });
    expect(await refusal(write('b'))).toMatchObject({ status: 0 });
    expect((await api.get(CONFIG_MAPS, { namespace: 'default', name: 'b' })).metadata.name).toBe('b');
    expect(proxy.stats().requests).toContainEqual(
      expect.objectContaining({ verb: 'create', resource: 'configmaps', code: 429, count: 1 }),
    );
  });

  test('drops and doubles watch events, and cuts watches', async () => {
    const watching = await watch(await newest());
    proxy.faults.add({ match: { name: 'lost' }, effect: { kind: 'dropEvent' } });
    proxy.faults.add({ match: { name: 'twice' }, effect: { kind: 'duplicateEvent' } });
    for (const name of ['lost', 'twice', 'last']) await write(name);
    await watching.saw('ADDED last');
    expect(watching.seen()).toEqual(['ADDED twice', 'ADDED twice', 'ADDED last']);
    expect(proxy.faults.cutWatches('configmaps')).toBe(1);
    expect(await watching.ended).toMatchObject({ status: 0 });
  });

  test('plays a compaction: older versions are refused with 410, newer ones are not', async () => {
    const old = await newest();
    await write('a');
    proxy.faults.compact();
    expect(await new Watching(api, CONFIG_MAPS, { resourceVersion: old }).ended).toMatchObject({
      status: 410,
      reason: 'Expired',
    });
    const created = await write('b');
    const watching = await watch(created.metadata.resourceVersion ?? '');
    await write('c');
    await watching.saw('ADDED c');
    await watching.stop();
  });

  test('is a broken connection while the server behind it is gone', async () => {
    await sim.stop();
    expect(await refusal(write('a'))).toMatchObject({ status: 0 });
  });

  test('speaks for the user its client names', async () => {
    const server = await startWebhookServer(() => ({ allowed: true }));
    const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }];
    const clientConfig = { url: server.url('/mutate'), caBundle: server.caBundle };
    const webhook = { name: 'w.test.dev', clientConfig, rules, sideEffects: 'None', admissionReviewVersions: ['v1'] };
    await api.create<KubeObject>(MUTATING, { metadata: { name: 'who' }, webhooks: [webhook] });
    const account = await connect('account', proxy.kubeconfigFor('system:serviceaccount:kruise-system:worker'));
    await account.create(CONFIG_MAPS, configMap('default', 'mine'));
    expect(server.asked.at(-1)?.request.userInfo).toMatchObject({
      username: 'system:serviceaccount:kruise-system:worker',
      groups: expect.arrayContaining(['system:serviceaccounts:kruise-system']),
    });
    account.close();
    await server.stop();
  });
});

describe('the subject of a request', () => {
  test.each<[string, string, object | undefined]>([
    ['GET', '/api/v1/pods', { verb: 'list', resource: 'pods' }],
    ['GET', '/api/v1/pods?watch=1', { verb: 'watch', resource: 'pods' }],
    ['GET', '/api/v1/namespaces/a/pods/p', { verb: 'get', resource: 'pods', namespace: 'a', name: 'p' }],
    [
      'PATCH',
      '/api/v1/namespaces/a/pods/p/status',
      { verb: 'patch', resource: 'pods', name: 'p', subresource: 'status' },
    ],
    ['GET', '/api/v1/namespaces/a', { verb: 'get', resource: 'namespaces', name: 'a', namespace: undefined }],
    [
      'PUT',
      '/api/v1/namespaces/a/status',
      { verb: 'update', resource: 'namespaces', name: 'a', subresource: 'status' },
    ],
    ['POST', '/apis/apps.kruise.io/v1beta1/sidecarsets', { verb: 'create', resource: 'sidecarsets' }],
    ['GET', '/apis/apps/v1', undefined],
    ['GET', '/readyz', undefined],
  ])('%s %s', (method, at, expected) => {
    const subject = subjectOf(method, new URL(at, 'http://x'), 'agent');
    if (expected) expect(subject).toMatchObject(expected);
    else expect(subject).toBeUndefined();
  });
});
