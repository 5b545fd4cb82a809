import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Platform, until } from '@sidestep/e2e';
import type { ResourceKind } from '@sidestep/kube';
import { aSidecarSet, freePort, startBoundProcess } from '@sidestep/testkit';
import type { Run } from './plan.js';

/** OpenKruise's only process. */
export interface KruiseManager {
  pid: number;
  stop(): Promise<void>;
}

const START_DEADLINE_MS = 180_000;
/** What its documentation raises when rollouts are slow; its defaults otherwise. */
const RAISED_WORKERS = 10;
const SIDECARSETS: ResourceKind = {
  group: 'apps.kruise.io',
  version: 'v1beta1',
  plural: 'sidecarsets',
  kind: 'SidecarSet',
  namespaced: false,
};

/**
 * Runs the real OpenKruise on the real API server of a platform whose own programs were stopped: with its own CRDs and webhooks, so
 * that pods are injected, and SidecarSets defaulted, by it. `folder` is its source, with its program built in it as `manager`.
 */
export const startKruiseManager = async (platform: Platform, folder: string, run: Run): Promise<KruiseManager> => {
  await applyManifests(platform, folder);
  const [webhook, health] = [await freePort(), await freePort()];
  const limits =
    run.qps === undefined
      ? []
      : [
          `--rest-config-qps=${run.qps}`,
          `--rest-config-burst=${run.qps * 2}`,
          `--sidecarset-workers=${RAISED_WORKERS}`,
        ];
  const certificates = path.join(platform.options.stateDir, 'kruise-certificates');
  mkdirSync(certificates, { recursive: true, mode: 0o700 });
  let ended = false;
  let tail = '';
  const manager = await startBoundProcess(
    path.join(folder, 'manager'),
    [
      `--kubeconfig=${platform.kubeconfig}`,
      '--metrics-addr=127.0.0.1:0',
      '--enable-pprof=false',
      `--health-probe-addr=127.0.0.1:${health}`,
      '--enable-leader-election=false',
      '--logtostderr=true',
      '--v=1',
      ...limits,
    ],
    {
      env: {
        ...process.env,
        POD_NAMESPACE: 'kruise-system',
        POD_NAME: 'kruise-controller-manager-0',
        WEBHOOK_HOST: '127.0.0.1',
        WEBHOOK_PORT: String(webhook),
        WEBHOOK_CERT_DIR: certificates,
      },
      onOutput: (text) => {
        tail = (tail + text).slice(-2_000);
      },
    },
  );
  void manager.exited.then(() => {
    ended = true;
  });
  const works = async (): Promise<true | undefined> => {
    if (ended) throw new Error(`OpenKruise ended while starting: ${tail}`);
    return admitsSidecarSets(platform);
  };
  await until(works, 'OpenKruise to admit a SidecarSet', START_DEADLINE_MS);
  return { pid: manager.pid, stop: () => manager.stop(5_000) };
};

/** The webhook configurations of a platform that stands still would refuse every write. */
const applyManifests = async ({ apiServer, options }: Platform, folder: string): Promise<void> => {
  const { kubectl } = apiServer;
  if (kubectl === undefined) throw new Error('OpenKruise needs the real API server');
  await kubectl('delete', 'mutatingwebhookconfigurations,validatingwebhookconfigurations', '--all');
  // Its conversion is that of the webhook that was stopped, and cannot be merged with another's.
  await kubectl('delete', 'customresourcedefinition', 'sidecarsets.apps.kruise.io');
  const all = await kubectl('kustomize', path.join(folder, 'config', 'default'));
  const wanted = all
    .split(/^---$/m)
    .filter((text) => /^kind: (CustomResourceDefinition|\w+WebhookConfiguration)$/m.test(text));
  const file = path.join(options.stateDir, 'kruise.yaml');
  writeFileSync(file, wanted.join('---\n'));
  await kubectl('apply', '--server-side', '--force-conflicts', '-f', file);
};

const admitsSidecarSets = ({ api }: Platform): Promise<true | undefined> => {
  const probe = aSidecarSet('probe').selecting({ app: 'nobody' }).withSidecar('probe', 'probe:v1');
  return api
    .create(SIDECARSETS, probe.build())
    .then(() => api.delete(SIDECARSETS, { name: 'probe' }))
    .then(
      () => true as const,
      () => undefined,
    );
};
