import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { HttpKubeApi, type KubeApi, KubeError, type KubeObject, loadKubeConfig, RateLimiter } from '@sidestep/kube';
import { startKubeSim } from '../kube-sim/start.js';
import type { KubeSim } from '../kube-sim/types.js';
import { startProcessKubelet } from './kubelet.js';
import type { KubeletLogLine, ProcessKubelet, ProcessKubeletOptions } from './options.js';
import type { ContainerSpec, ContainerStatus, PodObject } from './pod-spec.js';
import { PODS } from './status-writer.js';

// Every wait has a deadline of its own; a loaded machine is not a failure.
jest.setTimeout(120_000);

const NAMESPACES = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };
const EVENTS = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

const shell = (script: string, env: Record<string, string> = {}) => ({ command: ['sh', '-c', script], env });
/** Notes its start and its variables in the pod's volume, then waits for its end. */
const noting = (version: string) => ({
  ...shell('echo "$VERSION $MARK" >> /notes/starts; exec sleep 600'),
  env: { VERSION: version },
});

const EMPTY_DIGEST = `sha256:${'5e'.repeat(32)}`;
const images = {
  [`empty:1@${EMPTY_DIGEST}`]: noting('empty'),
  'good:1': noting('1'),
  'good:1-alias': noting('1'),
  'good:2': noting('2'),
  'good:3': noting('3'),
  'crash:1': shell('echo "going down"; exit 3'),
  'deaf:1': shell("trap '' TERM; while :; do sleep 0.05; done"),
  'forks:1': shell('setsid sleep 600 & exec sleep 600'),
};

let sim: KubeSim;
let api: KubeApi;
let stateDir: string;
let kubelet: ProcessKubelet;
let log: KubeletLogLine[];
let serial = 0;

beforeAll(async () => {
  sim = await startKubeSim({});
  stateDir = mkdtempSync(path.join(os.tmpdir(), 'kubelet-test-'));
  const kubeconfig = path.join(stateDir, 'kubeconfig');
  writeFileSync(kubeconfig, sim.kubeconfig);
  const limiter = new RateLimiter({ qps: 1_000, burst: 1_000 });
  api = new HttpKubeApi({ connection: loadKubeConfig({ kubeconfig }), limiter });
  await api.create(NAMESPACES, { metadata: { name: 'lab' } });
});

afterEach(async () => {
  await kubelet.stop(0);
});

afterAll(async () => {
  (api as HttpKubeApi).close();
  await sim.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

/** A kubelet of its own for each test, so that no test meets the back-off of another. */
async function start(options: Partial<ProcessKubeletOptions> = {}): Promise<void> {
  log = [];
  serial += 1;
  kubelet = await startProcessKubelet({
    api,
    node: `node-${serial}`,
    images,
    stateDir: path.join(stateDir, String(serial)),
    statusLag: 'none',
    backOff: 'none',
    onLog: (line) => log.push(line),
    ...options,
  });
}

const notes = { volumeMounts: [{ name: 'notes', mountPath: '/notes' }] };
const container = (name: string, image: string, more: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name,
  image,
  ...notes,
  ...more,
});

interface PodMore {
  annotations?: Record<string, string>;
  grace?: number;
  initContainers?: ContainerSpec[];
}

async function createPod(containers: ContainerSpec[], more: PodMore = {}): Promise<void> {
  const pod: KubeObject = {
    metadata: { name: `pod-${serial}`, namespace: 'lab', annotations: more.annotations ?? {} },
    spec: {
      nodeName: `node-${serial}`,
      terminationGracePeriodSeconds: more.grace ?? 1,
      volumes: [{ name: 'notes', emptyDir: {} }],
      containers,
      ...(more.initContainers ? { initContainers: more.initContainers } : {}),
    },
  };
  await api.create(PODS, pod);
}

const podRef = () => ({ namespace: 'lab', name: `pod-${serial}` });
const getPod = () => api.get<PodObject>(PODS, podRef());
const patchPod = (...operations: object[]) => api.patch(PODS, podRef(), operations, { type: 'json' });
const setImage = (index: number, image: string) =>
  patchPod({ op: 'replace', path: `/spec/containers/${index}/image`, value: image });

const statusOf = (pod: PodObject, name: string): ContainerStatus | undefined =>
  [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    (status) => status.name === name,
  );
const isTrue = (pod: PodObject, type: string) =>
  pod.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
const isReady = (pod: PodObject) => isTrue(pod, 'Ready');

/** Looks until the pod on the API server is as wanted. */
async function untilPod(matches: (pod: PodObject) => unknown, what: string): Promise<PodObject> {
  const end = Date.now() + 20_000;
  for (;;) {
    const pod = await getPod();
    if (matches(pod)) return pod;
    if (Date.now() > end) throw new Error(`${what} did not come; status is ${JSON.stringify(pod.status)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function until(condition: () => unknown, what: string): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`${what} did not come; the log is ${JSON.stringify(log)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const volumeFile = (name: string) => path.join(stateDir, String(serial), 'v', '0', 'notes', name);
const startsNoted = (): string[] => {
  if (!existsSync(volumeFile('starts'))) return [];
  return readFileSync(volumeFile('starts'), 'utf8').trim().split('\n');
};
const restartsOf = (name: string) =>
  log.filter(({ event, container: of }) => event === 'started' && of === name).length - 1;

describe('an image change in a running pod', () => {
  test('restarts exactly that container, whose variables are read from the annotations of that moment', async () => {
    await start();
    const mark = { name: 'MARK', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['lab/mark']" } } };
    await createPod([container('app', 'good:1', { env: [mark] }), container('side', 'good:1', { env: [mark] })], {
      annotations: { 'lab/mark': 'before' },
    });
    const before = await untilPod(isReady, 'a Ready pod');
    await patchPod(
      { op: 'replace', path: '/metadata/annotations/lab~1mark', value: 'after' },
      { op: 'replace', path: '/spec/containers/1/image', value: 'good:2' },
    );
    const after = await untilPod((pod) => statusOf(pod, 'side')?.restartCount === 1 && isReady(pod), 'a new side');
    expect(statusOf(after, 'app')).toEqual(statusOf(before, 'app'));
    expect(statusOf(after, 'side')).toMatchObject({ image: 'good:2', ready: true });
    expect(statusOf(after, 'side')?.containerID).not.toBe(statusOf(before, 'side')?.containerID);
    await until(() => startsNoted().length === 3, 'three starts');
    expect(startsNoted().slice(0, 2)).toEqual(['1 before', '1 before']);
    expect(startsNoted()[2]).toBe('2 after');
  });

  test('to another name of the same image shows in the container id alone', async () => {
    await start();
    await createPod([container('side', 'good:1')]);
    const before = statusOf(await untilPod(isReady, 'a Ready pod'), 'side')!;
    await setImage(0, 'good:1-alias');
    const after = await untilPod((pod) => statusOf(pod, 'side')?.restartCount === 1, 'the restart');
    expect(statusOf(after, 'side')).toMatchObject({ image: 'good:1', imageID: before.imageID });
    expect(statusOf(after, 'side')?.containerID).not.toBe(before.containerID);
  });

  test('to an image that is nowhere ends the old container first, and a good image then runs at once', async () => {
    await start({ backOff: 'real' });
    await createPod([container('app', 'good:1'), container('side', 'good:1')]);
    const before = statusOf(await untilPod(isReady, 'a Ready pod'), 'side')!;
    await setImage(1, 'absent:1');
    const broken = await untilPod((pod) => statusOf(pod, 'side')?.state.waiting, 'a waiting side');
    expect(statusOf(broken, 'side')).toMatchObject({
      state: { waiting: { reason: expect.stringMatching(/^(ErrImagePull|ImagePullBackOff)$/) } },
      containerID: before.containerID,
      imageID: before.imageID,
      restartCount: 0,
      ready: false,
    });
    expect(kubelet.containers().map(({ container: name }) => name)).toEqual(['app']);
    await setImage(1, 'good:2');
    const after = await untilPod(isReady, 'a Ready pod again');
    expect(statusOf(after, 'side')).toMatchObject({ image: 'good:2', restartCount: 1 });
    expect(restartsOf('app')).toBe(0);
  });

  test('with the lag of a real kubelet never shows the pod as not Ready', async () => {
    await start({ statusLag: 'real' });
    await createPod([container('side', 'good:1')]);
    await untilPod(isReady, 'a Ready pod');
    await setImage(0, 'good:2');
    const seen = new Set<string>();
    await untilPod((pod) => {
      seen.add(`${statusOf(pod, 'side')?.image} ${isReady(pod)}`);
      return statusOf(pod, 'side')?.image === 'good:2';
    }, 'the new image');
    expect([...seen]).toEqual(['good:1 true', 'good:2 true']);
  });
});

describe('a postStart hook', () => {
  const hook = (script: string) => ({ lifecycle: { postStart: { exec: { command: ['sh', '-c', script] } } } });

  test('blocks every other change of its pod until it returns', async () => {
    await start();
    const waits = hook('[ "$VERSION" = 1 ] || while [ ! -e /notes/go ]; do sleep 0.02; done');
    await createPod([container('app', 'good:1'), container('side', 'good:1', waits)]);
    await untilPod(isReady, 'a Ready pod');
    await setImage(1, 'good:2');
    await until(() => restartsOf('side') === 1, 'the new side');
    await setImage(0, 'good:3');
    await setImage(0, 'good:2');
    expect(statusOf(await getPod(), 'side')?.image).toBe('good:1');
    writeFileSync(volumeFile('go'), '');
    await untilPod((pod) => statusOf(pod, 'app')?.image === 'good:2' && isReady(pod), 'the new app');
    const order = log.filter(({ event }) => event === 'post-start' || event === 'killing');
    const hookEnd = order.findIndex(({ event, ok, tookMs }) => event === 'post-start' && ok && Number(tookMs) > 15);
    expect(order.findIndex(({ event, container: of }) => event === 'killing' && of === 'app')).toBeGreaterThan(hookEnd);
    expect(restartsOf('app')).toBe(1);
  });

  test('that fails ends the container, and says so without its output', async () => {
    await start({ backOff: 'real' });
    await createPod([container('app', 'good:1'), container('side', 'good:1', hook('echo secret; exit 1'))]);
    const pod = await untilPod(
      (each) => statusOf(each, 'side')?.state.waiting?.reason === 'PostStartHookError',
      'the error',
    );
    expect(statusOf(pod, 'side')?.ready).toBe(false);
    expect(statusOf(pod, 'app')).toMatchObject({ ready: true, restartCount: 0 });
    await untilPod((each) => statusOf(each, 'side')?.state.waiting?.reason === 'CrashLoopBackOff', 'the back-off');
    const { items } = await api.list<KubeObject>(EVENTS, { namespace: 'lab' });
    const mine = items.filter(({ involvedObject }) => (involvedObject as { name: string }).name === podRef().name);
    expect(mine.map(({ reason }) => reason)).toContain('FailedPostStartHook');
    expect(JSON.stringify(mine)).not.toContain('secret');
  });
});

describe('a container that crashes', () => {
  test('waits in CrashLoopBackOff, tells its last words, and starts at once with another image', async () => {
    await start({ backOff: 'real' });
    await createPod([container('side', 'crash:1', { terminationMessagePolicy: 'FallbackToLogsOnError' })]);
    const down = await untilPod(
      (pod) => statusOf(pod, 'side')?.state.waiting?.reason === 'CrashLoopBackOff',
      'the back-off',
    );
    expect(statusOf(down, 'side')).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 3, reason: 'Error', message: 'going down\n' } },
    });
    await setImage(0, 'good:1');
    expect(statusOf(await untilPod(isReady, 'a Ready pod'), 'side')).toMatchObject({
      restartCount: 2,
      image: 'good:1',
    });
  });

  test('is started again after the back-off, which can be shortened', async () => {
    await start({ backOff: 0.005 });
    await createPod([container('side', 'crash:1')]);
    await untilPod((pod) => (statusOf(pod, 'side')?.restartCount ?? 0) >= 4, 'four restarts');
  });
});

describe('the back-off of in-place changes', () => {
  // Longer than the changes of this test can take, so that only the rule decides what is held.
  const patient = { baseMs: 60_000, maxMs: 300_000, forgetMs: 600_000, retryMs: 50 };

  const change = async (image: string): Promise<string> => {
    const before = statusOf(await getPod(), 'side')?.containerID;
    await setImage(0, image);
    const pod = await untilPod((each) => {
      const { containerID, state } = statusOf(each, 'side') ?? {};
      return state?.waiting || (containerID !== before && isReady(each));
    }, image);
    return statusOf(pod, 'side')?.state.waiting?.reason ?? 'running';
  };

  test('holds the third use of an image, as a real kubelet does, and not another image', async () => {
    await start({ backOff: patient });
    await createPod([container('side', 'good:1')]);
    await untilPod(isReady, 'a Ready pod');
    const outcomes: string[] = [];
    for (const image of ['good:2', 'good:1', 'good:2', 'good:1']) outcomes.push(await change(image));
    expect(outcomes).toEqual(['running', 'running', 'running', 'CrashLoopBackOff']);
    await setImage(0, 'good:3');
    expect(statusOf(await untilPod(isReady, 'another image'), 'side')?.image).toBe('good:3');
  });

  test('does not hold one image under ever new names', async () => {
    await start({ backOff: patient });
    await createPod([container('side', 'good:1')]);
    await untilPod(isReady, 'a Ready pod');
    const outcomes = new Set<string>();
    for (const tag of ['g1', 'g2', 'g3', 'g4', 'g5']) outcomes.add(await change(`empty:${tag}@${EMPTY_DIGEST}`));
    expect([...outcomes]).toEqual(['running']);
    expect(statusOf(await getPod(), 'side')).toMatchObject({ imageID: `empty@${EMPTY_DIGEST}`, restartCount: 5 });
  });
});

describe('the end of a container', () => {
  test('comes by SIGKILL when it does not heed SIGTERM, and takes along what left its process group', async () => {
    await start();
    await createPod([container('deaf', 'deaf:1'), container('forks', 'forks:1')]);
    await untilPod(isReady, 'a Ready pod');
    await api.delete(PODS, podRef());
    await expect(untilPod(() => false, 'nothing')).rejects.toThrow(KubeError);
    const ends = log.filter(({ event }) => event === 'exited');
    expect(ends.find(({ container: of }) => of === 'deaf')).toMatchObject({ exitCode: 137, signal: 9 });
    expect(ends.find(({ container: of }) => of === 'forks')).toMatchObject({ exitCode: 143 });
    await until(() => !existsSync(path.dirname(volumeFile('x'))), 'the end of the volumes');
  });

  test('begins with its preStop hook', async () => {
    await start();
    const preStop = { lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo stopping >> /notes/starts'] } } } };
    await createPod([container('side', 'good:1', preStop)]);
    await untilPod(isReady, 'a Ready pod');
    await setImage(0, 'good:2');
    await until(() => startsNoted().length === 3, 'three notes');
    expect(startsNoted().map((line) => line.trim())).toEqual(['1', 'stopping', '2']);
  });
});

describe('probes', () => {
  const fileThere = (name: string) => ({
    exec: { command: ['test', '-e', `/notes/${name}`] },
    periodSeconds: 0.05,
    failureThreshold: 1,
  });

  test('of readiness make a container ready and not ready', async () => {
    await start();
    await createPod([container('side', 'good:1', { readinessProbe: fileThere('ready') })]);
    await untilPod((pod) => statusOf(pod, 'side')?.state.running, 'a running side');
    expect(isReady(await getPod())).toBe(false);
    writeFileSync(volumeFile('ready'), '');
    await untilPod(isReady, 'a Ready pod');
    rmSync(volumeFile('ready'));
    await untilPod((pod) => !isReady(pod), 'a pod that is not Ready');
    expect(restartsOf('side')).toBe(0);
  });

  test('of liveness restart it', async () => {
    await start();
    await createPod([
      container('side', 'good:1', {
        startupProbe: { ...fileThere('alive'), failureThreshold: 400 },
        livenessProbe: fileThere('alive'),
      }),
    ]);
    await untilPod((pod) => statusOf(pod, 'side')?.state.running, 'a running side');
    expect(statusOf(await getPod(), 'side')).toMatchObject({ started: false, ready: false });
    writeFileSync(volumeFile('alive'), '');
    await untilPod((pod) => statusOf(pod, 'side')?.started, 'a started side');
    rmSync(volumeFile('alive'));
    await untilPod((pod) => statusOf(pod, 'side')?.restartCount === 1, 'a restart');
    expect(log.find(({ event }) => event === 'killing')?.message).toContain('failed liveness probe');
  });
});

test('a native sidecar starts before the app, and its image is changed without touching the app', async () => {
  await start();
  const mesh = container('mesh', 'good:1', { restartPolicy: 'Always' });
  await createPod([container('app', 'good:2')], { initContainers: [mesh] });
  await untilPod(isReady, 'a Ready pod');
  await until(() => startsNoted().length === 2, 'two starts');
  expect(log.filter(({ event }) => event === 'started').map((line) => line.container)).toEqual(['mesh', 'app']);
  await patchPod({ op: 'replace', path: '/spec/initContainers/0/image', value: 'good:3' });
  const after = await untilPod((pod) => statusOf(pod, 'mesh')?.restartCount === 1 && isReady(pod), 'a new mesh');
  expect(statusOf(after, 'app')?.restartCount).toBe(0);
});

test('a new pod under an old name has processes, an address and volumes of its own', async () => {
  await start();
  await createPod([container('app', 'good:1')]);
  const first = (await untilPod(isReady, 'a Ready pod')).status?.podIP;
  await api.delete(PODS, podRef(), { gracePeriodSeconds: 0 });
  await createPod([container('app', 'good:2')]);
  const second = await untilPod(isReady, 'a second Ready pod');
  expect(second.status?.podIP).not.toBe(first);
  expect(statusOf(second, 'app')).toMatchObject({ restartCount: 0, image: 'good:2' });
  await until(() => kubelet.containers().length === 1, 'the end of the first');
});

describe('faults', () => {
  test('a frozen kubelet does nothing until it is thawed', async () => {
    await start();
    await createPod([container('app', 'good:1')]);
    await untilPod(isReady, 'a Ready pod');
    kubelet.faults.freeze();
    await setImage(0, 'good:2');
    await untilPod((pod) => pod.spec.containers[0]?.image === 'good:2', 'the change');
    const pid = kubelet.faults.signal({ ...podRef(), pod: podRef().name, container: 'app' }, 'SIGKILL');
    await until(() => log.some((line) => line.event === 'exited' && line.pid === pid), 'the exit');
    expect(statusOf(await getPod(), 'app')?.state.running).toBeDefined();
    kubelet.faults.thaw();
    await untilPod((pod) => statusOf(pod, 'app')?.image === 'good:2' && isReady(pod), 'the change acted on');
  });

  test('a lost node makes its pods unready while their containers run on', async () => {
    await start();
    await createPod([container('app', 'good:1')]);
    await untilPod(isReady, 'a Ready pod');
    await kubelet.faults.loseNode();
    expect(isReady(await getPod())).toBe(false);
    expect(kubelet.containers()).toHaveLength(1);
  });

  test('are served on the control socket', async () => {
    await start();
    await createPod([container('app', 'good:1')]);
    await untilPod(isReady, 'a Ready pod');
    await control('POST', '/fail-pulls', { image: 'good:2' });
    await control('POST', '/signal', { namespace: 'lab', pod: podRef().name, container: 'app', signal: 'SIGKILL' });
    await untilPod((pod) => statusOf(pod, 'app')?.restartCount === 1, 'a restart');
    await setImage(0, 'good:2');
    await untilPod((pod) => statusOf(pod, 'app')?.state.waiting?.reason.match(/Pull/), 'a failed pull');
    await control('POST', '/fail-pulls', { image: 'good:2', fail: false });
    await untilPod((pod) => statusOf(pod, 'app')?.image === 'good:2' && isReady(pod), 'the pulled image');
    expect(await control('GET', '/containers')).toMatchObject([{ container: 'app', image: 'good:2' }]);
    expect(await control('POST', '/signal', { namespace: 'lab' })).toEqual({ error: 'pod must be a string' });
  });
});

function control(method: string, route: string, body?: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath: kubelet.controlSocket, method, path: route }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text)));
    });
    request.on('error', reject);
    request.end(body && JSON.stringify(body));
  });
}
