import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import {
  ApiServerBinariesMissing,
  ensureApiServerBinaries,
  leaveOut,
  startKubeSim,
  startRealApiServer,
} from '@sidestep/testkit';
import { describeWebhookOn } from './webhook-app.contract.js';

const deploy = (path: string) => join(import.meta.dirname, '../../../deploy', path);

describeWebhookOn('kube-sim', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'webhook-'));
  const kubeconfig = join(dir, 'kubeconfig');
  const sim = await startKubeSim({ kubeconfigFile: kubeconfig, manifests: [deploy('crds'), deploy('kustomize/base')] });
  const stop = async () => {
    await sim.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return { kubeconfig, webhookKubeconfig: kubeconfig, stop };
});

const missing = await ensureApiServerBinaries({ download: false }).then(
  () => undefined,
  (error: unknown) => error,
);

if (missing instanceof ApiServerBinariesMissing) {
  leaveOut('the webhook on a real API server', missing.message);
  test('what is missing for the real API server is named', () => expect(missing.message).not.toBe(''));
} else {
  describeWebhookOn('a real API server', async () => {
    const server = await startRealApiServer();
    await server.kubectl('apply', '--server-side', '-k', deploy('kustomize/default'));
    await server.createNamespace('default');
    const webhookKubeconfig = await server.kubeconfigForServiceAccount('kruise-system', 'sidestep-webhook');
    return { kubeconfig: server.kubeconfig, webhookKubeconfig, stop: () => server.stop() };
  });
}
