import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { defaultSidecarSet, injectPod, type Pod, type SidecarSet, SidecarSetIndex, withHashes } from '@sidestep/core';
import { HttpKubeApi, type KubeObject, LEASE, loadKubeConfig, RateLimiter } from '@sidestep/kube';
import { createLogger } from '@sidestep/observability';
import {
  type InstantKubelet,
  type KubeSim,
  leaveOut,
  startInstantKubelet,
  startKubeSim,
  startRedis,
} from '@sidestep/testkit';
import { type Config, readConfig } from './config.js';
import { NAMESPACE, POD, SIDECARSET } from './kinds.js';
import { UpgradeWorker } from './upgrade-worker.js';

/** Against a wait without end, not a slow machine. */
const DEADLINE_MS = 120_000;
const PODS = 6;
/** Of planners whose lease changes hands, which they notice the sooner. */
const SHORT_LEASE = '30';

let sim: KubeSim;
let api: HttpKubeApi;
let kubelet: InstantKubelet;
let folder: string;
const started: UpgradeWorker[] = [];
const lost: string[] = [];

const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

const meshSet = (image: string): SidecarSet =>
  withHashes(
    defaultSidecarSet({
      apiVersion: 'apps.kruise.io/v1beta1',
      kind: 'SidecarSet',
      metadata: { name: 'mesh-set', annotations: {} },
      spec: {
        selector: { matchLabels: { app: 'shop' } },
        updateStrategy: { maxUnavailable: 2 },
        containers: [
          { name: 'mesh', image, upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'mesh:empty' } },
        ],
      },
    }),
  );

const aPod = (name: string, sidecarSet: SidecarSet): Pod => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: 'shop' } },
    spec: { nodeName: 'instant-0', containers: [{ name: 'app', image: 'shop:1' }] },
  };
  const revisions = { byName: () => undefined, byCustomVersion: () => undefined };
  const input = { pod, namespace: 'default', namespaceLabels: {}, revisions, now: new Date() };
  return injectPod({ ...input, sidecarSets: new SidecarSetIndex([sidecarSet]) }).pod;
};

const pods = async (): Promise<Pod[]> => (await api.list<KubeObject>(POD)).items as unknown as Pod[];
const images = (pod: Pod): string =>
  pod.spec.containers
    .filter(({ name }) => name.startsWith('mesh'))
    .map(({ image }) => image)
    .sort()
    .join(' ');
const storedSet = (): Promise<KubeObject & SidecarSet> => api.get(SIDECARSET, { name: 'mesh-set' });
const reasonOf = ({ status }: SidecarSet): string | undefined =>
  status?.conditions?.find(({ type }) => type === 'Progressing')?.reason;

const editImage = async (image: string): Promise<void> => {
  const stored = await storedSet();
  const containers = (stored.spec.containers ?? []).map((container) => ({ ...container, image }));
  await api.replace(SIDECARSET, withHashes({ ...stored, spec: { ...stored.spec, containers } }) as KubeObject);
};

const start = async (environment: Record<string, string>): Promise<{ worker: UpgradeWorker; url: string }> => {
  const config: Config = readConfig({
    KUBECONFIG: path.join(folder, 'kubeconfig'),
    SIDESTEP_HEALTH_HOST: '127.0.0.1',
    SIDESTEP_HEALTH_PORT: '0',
    SIDESTEP_LOG_LEVEL: 'silent',
    SIDESTEP_KUBE_QPS: '1000',
    SIDESTEP_KUBE_BURST: '1000',
    // A machine that stands still for as long takes the lease of its planner away.
    SIDESTEP_LEASE_SECONDS: '600',
    ...environment,
  });
  const log = createLogger({ name: 'upgrade-worker', level: config.logLevel });
  const worker = new UpgradeWorker(config, log, (reason) => lost.push(reason));
  started.push(worker);
  return { worker, ...(await worker.start()) };
};

const everyPodRuns = (image: string) => async (): Promise<boolean> => {
  const all = await pods();
  return all.length === PODS && all.every((pod) => images(pod) === ['mesh:empty', image].sort().join(' '));
};

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sidestep-worker-'));
  sim = await startKubeSim({ manifests: [fileURLToPath(new URL('../../../deploy/crds', import.meta.url))] });
  await writeFile(path.join(folder, 'kubeconfig'), sim.kubeconfig);
  const connection = loadKubeConfig({ kubeconfig: path.join(folder, 'kubeconfig') });
  api = new HttpKubeApi({ connection, limiter: new RateLimiter({ qps: 5_000, burst: 5_000 }) });
  await api.create(NAMESPACE, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kruise-system' } });
  kubelet = startInstantKubelet({ api });
  const stored = await api.create(SIDECARSET, meshSet('mesh:v1') as KubeObject);
  for (let index = 0; index < PODS; index += 1) {
    await api.create(POD, aPod(`web-${index}`, stored as unknown as SidecarSet) as KubeObject);
  }
}, 240_000);

afterEach(async () => {
  await Promise.all(started.splice(0).map((worker) => worker.stop()));
  await kubelet.stop();
  api.close();
  await sim.stop();
  await rm(folder, { recursive: true });
  expect(lost.splice(0)).toEqual([]);
});

describe('one process that plans and works, with a queue in memory', () => {
  const all = { SIDESTEP_ROLE: 'all', SIDESTEP_QUEUE: 'memory' };

  test('takes every pod through a hot upgrade and back, and says when it is done', async () => {
    const { url } = await start(all);
    await until('the set is known', async () => reasonOf(await storedSet()) === 'RolloutComplete');
    await editImage('mesh:v2');
    await until('every pod runs v2', everyPodRuns('mesh:v2'));
    await until('it says so', async () => (await storedSet()).status?.updatedReadyPods === PODS);
    await editImage('mesh:v1');
    await until('every pod runs v1 again', everyPodRuns('mesh:v1'));

    const view = (await (await fetch(`${url}/planner`)).json()) as {
      leading: boolean;
      sidecarSets: { name: string }[];
    };
    expect(view).toMatchObject({ leading: true, sidecarSets: [{ name: 'mesh-set' }] });
    // A worker counts a write a moment after everybody can see it.
    const resets = /sidestep_phase_seconds_count\{phase="reset",result="wrote"\} 12/;
    await until('every reset is counted', async () => resets.test(await (await fetch(`${url}/metrics`)).text()));
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  }, 600_000);

  test('writes two patches per pod, and its condition the first time', async () => {
    await start(all);
    await until('the set is known', async () => reasonOf(await storedSet()) === 'RolloutComplete');
    sim.resetStats();
    await editImage('mesh:v2');
    await until('every pod runs v2', everyPodRuns('mesh:v2'));
    const written = (resource: string): number =>
      sim
        .stats()
        .requests.filter((one) => one.userAgent === 'sidestep-upgrade-worker' && one.verb === 'patch')
        // One that meets the kubelet's own write is refused, and changes nothing.
        .filter(({ code }) => code === 200)
        .reduce((sum, one) => sum + (one.resource === resource ? one.count : 0), 0);
    const expected = { pods: 2 * PODS, conditions: PODS };
    const seen = () => ({ pods: written('pods'), conditions: written('pods/status') });
    await until('the last condition is written', async () => seen().conditions >= PODS);
    expect(seen()).toEqual(expected);
  }, 600_000);
});

test('a planner whose lease was taken away says that its process must end', async () => {
  await start({ SIDESTEP_ROLE: 'all', SIDESTEP_QUEUE: 'memory', SIDESTEP_LEASE_SECONDS: SHORT_LEASE });
  const ref = { namespace: 'kruise-system', name: 'sidestep-planner' };
  await until('it leads', async () => reasonOf(await storedSet()) === 'RolloutComplete');
  const renewTime = new Date(Date.now() + 60_000).toISOString().replace('Z', '000Z');
  const theft = { spec: { holderIdentity: 'somebody-else', leaseDurationSeconds: 60, renewTime } };
  await api.patch(LEASE, ref, theft, { type: 'merge' });
  await until('it says so', async () => lost.length > 0);
  expect(lost.splice(0)).toHaveLength(1);
}, 600_000);

const redis = await startRedis({ shared: false }).catch((error: Error) => {
  leaveOut('the upgrade worker with Redis', error.message);
  return undefined;
});

if (redis !== undefined) {
  describe('a planner and two workers, with Redis between them', () => {
    const planner = { SIDESTEP_ROLE: 'planner', REDIS_URL: redis.url };
    const worker = { SIDESTEP_ROLE: 'worker', REDIS_URL: redis.url };

    test('upgrade every pod, although Redis is killed and comes back empty in the middle', async () => {
      await start(worker);
      await start(worker);
      const { url } = await start(planner);
      await until('the set is known', async () => reasonOf(await storedSet()) === 'RolloutComplete');
      await editImage('mesh:v2');
      await until('a pod is begun', async () => (await pods()).some((pod) => images(pod).includes('mesh:v2')));
      await redis.kill();
      await until('the planner says so', async () => (await fetch(`${url}/readyz`)).status === 503);
      await redis.start();
      await until('every pod runs v2', everyPodRuns('mesh:v2'));
      await until('it says so', async () => (await storedSet()).status?.updatedReadyPods === PODS);
    }, 600_000);

    test('go on when the planner is replaced', async () => {
      await start(worker);
      const first = await start({ ...planner, SIDESTEP_LEASE_SECONDS: SHORT_LEASE });
      await until('the set is known', async () => reasonOf(await storedSet()) === 'RolloutComplete');
      const second = await start({ ...planner, SIDESTEP_LEASE_SECONDS: SHORT_LEASE });
      await editImage('mesh:v2');
      await until('a pod is begun', async () => (await pods()).some((pod) => images(pod).includes('mesh:v2')));
      started.splice(started.indexOf(first.worker), 1);
      await first.worker.stop();
      await until('the other one leads', async () => {
        const view = (await (await fetch(`${second.url}/planner`)).json()) as { leading: boolean };
        return view.leading;
      });
      await until('every pod runs v2', everyPodRuns('mesh:v2'));
    }, 600_000);
  });
}
