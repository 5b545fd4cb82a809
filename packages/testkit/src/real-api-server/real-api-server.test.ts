import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { HttpKubeApi, loadKubeConfig } from '@sidestep/kube';
import { CRDS, LEASES, NODES, refusal } from '../kube-contract/subject.js';
import { leaveOut } from '../left-out.js';
import { ApiServerBinariesMissing, ensureApiServerBinaries } from './binaries.js';
import { type RealApiServer, startRealApiServer } from './start.js';

const DEPLOY = fileURLToPath(new URL('../../../../deploy', import.meta.url));

jest.setTimeout(300_000);

const missing = await ensureApiServerBinaries({ download: false }).then(
  () => undefined,
  (error: unknown) => error,
);

if (missing instanceof ApiServerBinariesMissing) {
  leaveOut('a real API server and the shipped manifests on it', missing.message);
  test('what is missing is named, with the way to get it', () =>
    expect(missing.message).toContain('npm test -- --all'));
} else {
  describe('a real API server', () => {
    let server: RealApiServer;
    const open: HttpKubeApi[] = [];
    const connect = (kubeconfig: string): HttpKubeApi => {
      const api = new HttpKubeApi({ connection: loadKubeConfig({ kubeconfig }) });
      open.push(api);
      return api;
    };

    beforeAll(async () => {
      server = await startRealApiServer();
    }, 300_000);

    afterAll(async () => {
      for (const api of open) api.close();
      await server?.stop();
    });

    test('lets the administrator do everything and a user without a role nothing', async () => {
      await connect(server.kubeconfig).create(NODES, { metadata: { name: 'n1' } });
      const nobody = connect(await server.kubeconfigFor('nobody'));
      const refused = await refusal(nobody.get(NODES, { name: 'n1' }));
      expect(refused).toMatchObject({ status: 403, reason: 'Forbidden' });
      expect(refused.message).toContain('User "nobody" cannot get resource "nodes"');
    });

    test('takes the shipped manifests, and their roles let the apps do what they do and no more', async () => {
      await server.kubectl('apply', '--server-side', '-k', `${DEPLOY}/crds`);
      await server.kubectl('apply', '--server-side', '-k', `${DEPLOY}/kustomize/base`);
      const worker = connect(await server.kubeconfigForServiceAccount('kruise-system', 'sidestep-upgrade-worker'));
      await worker.list({
        group: 'apps.kruise.io',
        version: 'v1beta1',
        plural: 'sidecarsets',
        kind: 'SidecarSet',
        namespaced: false,
      });
      await worker.list({ group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true });
      const lease = {
        metadata: { name: 'sidestep-planner', namespace: 'kruise-system' },
        spec: { holderIdentity: 'me' },
      };
      await worker.create<typeof lease>(LEASES, lease);
      expect(await refusal(worker.delete(CRDS, { name: 'sidecarsets.apps.kruise.io' }))).toMatchObject({ status: 403 });
    });

    test('gives a program in a pod the token that its service account has there', async () => {
      await server.createNamespace('tokens');
      const file = await server.kubeconfigForServiceAccount('tokens', 'meter');
      expect(readFileSync(file, 'utf8')).toMatch(/^ +token: /m);
      const meter = connect(file);
      const refused = await refusal(meter.get(NODES, { name: 'n1' }));
      expect(refused.message).toContain('User "system:serviceaccount:tokens:meter" cannot get resource "nodes"');
      await expect(server.kubeconfigForServiceAccount('nowhere', 'meter')).rejects.toThrow('not found');
    });

    test('gives a new namespace the account that its pods need', async () => {
      await server.createNamespace('shop');
      await server.createNamespace('shop');
      expect(await server.kubectl('get', 'serviceaccount', '-n', 'shop', '-o', 'name')).toBe(
        'serviceaccount/default\n',
      );
    });
  });
}
