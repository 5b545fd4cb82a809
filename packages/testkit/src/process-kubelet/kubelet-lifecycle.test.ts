import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { KubeError } from '@sidestep/kube';
import { container, isReady, KubeletLab, statusOf } from './kubelet-lab.js';
import type { ProcessKubelet, ProcessKubeletOptions } from './options.js';
import { CONTAINER_MARK, processesMarked } from './process-marks.js';
import { PODS } from './status-writer.js';

// Every wait has a deadline of its own; a loaded machine is not a failure.
jest.setTimeout(600_000);

let lab: KubeletLab;
let kubelet: ProcessKubelet;
const start = async (options?: Partial<ProcessKubeletOptions>) => {
  kubelet = await lab.start(options);
};

beforeAll(async () => {
  lab = await KubeletLab.open();
});
afterEach(() => lab.stop());
afterAll(() => lab.close());

describe('a container that crashes', () => {
  test('waits in CrashLoopBackOff, tells its last words, and starts at once with another image', async () => {
    await start({ backOff: 'real' });
    await lab.createPod([container('side', 'crash:1', { terminationMessagePolicy: 'FallbackToLogsOnError' })]);
    const down = await lab.untilPod(
      (pod) => statusOf(pod, 'side')?.state.waiting?.reason === 'CrashLoopBackOff',
      'the back-off',
    );
    expect(statusOf(down, 'side')).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 3, reason: 'Error', message: 'going down\n' } },
    });
    await lab.setImage(0, 'good:1');
    expect(statusOf(await lab.untilReady(), 'side')).toMatchObject({
      restartCount: 2,
      image: 'good:1',
    });
  });

  test('is started again after the back-off, which can be shortened', async () => {
    await start({ backOff: 0.005 });
    await lab.createPod([container('side', 'crash:1')]);
    await lab.untilPod((pod) => (statusOf(pod, 'side')?.restartCount ?? 0) >= 4, 'four restarts');
  });
});

describe('the end of a container', () => {
  test('comes by SIGKILL when it does not heed SIGTERM, and takes along what left its process group', async () => {
    await start();
    await lab.createPod([container('deaf', 'deaf:1'), container('forks', 'forks:1')]);
    await lab.untilReady();
    const forks = kubelet
      .containers()
      .find(({ container: of }) => of === 'forks')!
      .containerID.replace('process://', '');
    await lab.until(() => processesMarked(CONTAINER_MARK, forks).length === 2, 'both processes of a container');
    await lab.api.delete(PODS, lab.pod);
    await expect(lab.untilPod(() => false, 'nothing')).rejects.toThrow(KubeError);
    const ends = lab.log.filter(({ event }) => event === 'exited');
    expect(ends.find(({ container: of }) => of === 'deaf')).toMatchObject({ exitCode: 137, signal: 9 });
    expect(ends.find(({ container: of }) => of === 'forks')).toMatchObject({ exitCode: 143 });
    expect(processesMarked(CONTAINER_MARK, forks)).toEqual([]);
    await lab.until(() => !existsSync(path.dirname(lab.note('x'))), 'the end of the volumes');
  });

  test('begins with its preStop hook', async () => {
    await start();
    const preStop = { lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo stopping >> /notes/starts'] } } } };
    await lab.createPod([container('side', 'good:1', preStop)]);
    await lab.untilReady();
    await lab.setImage(0, 'good:2');
    await lab.until(() => lab.starts().length === 3, 'three notes');
    expect(lab.starts().map((line) => line.trim())).toEqual(['1', 'stopping', '2']);
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
    await lab.createPod([container('side', 'good:1', { readinessProbe: fileThere('ready') })]);
    await lab.untilPod((pod) => statusOf(pod, 'side')?.state.running, 'a running side');
    expect(isReady(await lab.getPod())).toBe(false);
    writeFileSync(lab.note('ready'), '');
    await lab.untilReady();
    rmSync(lab.note('ready'));
    await lab.untilPod((pod) => !isReady(pod), 'a pod that is not Ready');
    expect(lab.restartsOf('side')).toBe(0);
  });

  test('of liveness restart it', async () => {
    await start();
    await lab.createPod([
      container('side', 'good:1', {
        startupProbe: { ...fileThere('alive'), failureThreshold: 400 },
        livenessProbe: fileThere('alive'),
      }),
    ]);
    await lab.untilPod((pod) => statusOf(pod, 'side')?.state.running, 'a running side');
    expect(statusOf(await lab.getPod(), 'side')).toMatchObject({ started: false, ready: false });
    writeFileSync(lab.note('alive'), '');
    await lab.untilPod((pod) => statusOf(pod, 'side')?.started, 'a started side');
    rmSync(lab.note('alive'));
    await lab.untilPod((pod) => statusOf(pod, 'side')?.restartCount === 1, 'a restart');
    expect(lab.log.find(({ event }) => event === 'killing')?.message).toContain('failed liveness probe');
  });
});

test('a new pod under an old name has processes, an address and volumes of its own', async () => {
  await start();
  await lab.createPod([container('app', 'good:1')]);
  const first = (await lab.untilReady()).status?.podIP;
  await lab.api.delete(PODS, lab.pod, { gracePeriodSeconds: 0 });
  await lab.createPod([container('app', 'good:2')]);
  const second = await lab.untilPod(isReady, 'a second Ready pod');
  expect(second.status?.podIP).not.toBe(first);
  expect(statusOf(second, 'app')).toMatchObject({ restartCount: 0, image: 'good:2' });
  await lab.until(() => kubelet.containers().length === 1, 'the end of the first');
});
