import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type KubeObject } from '@sidestep/kube';
import { container, EMPTY_DIGEST, isReady, KubeletLab, statusOf } from './kubelet-lab.js';
import type { ProcessKubelet, ProcessKubeletOptions } from './options.js';

const EVENTS = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

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

describe('an image change in a running pod', () => {
  test('restarts exactly that container, whose variables are read from the annotations of that moment', async () => {
    await start();
    const mark = { name: 'MARK', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['lab/mark']" } } };
    await lab.createPod([container('app', 'good:1', { env: [mark] }), container('side', 'good:1', { env: [mark] })], {
      annotations: { 'lab/mark': 'before' },
    });
    const before = await lab.untilReady();
    await lab.patchPod(
      { op: 'replace', path: '/metadata/annotations/lab~1mark', value: 'after' },
      { op: 'replace', path: '/spec/containers/1/image', value: 'good:2' },
    );
    const after = await lab.untilPod((pod) => statusOf(pod, 'side')?.restartCount === 1 && isReady(pod), 'a new side');
    expect(statusOf(after, 'app')).toEqual(statusOf(before, 'app'));
    expect(statusOf(after, 'side')).toMatchObject({ image: 'good:2', ready: true });
    expect(statusOf(after, 'side')?.containerID).not.toBe(statusOf(before, 'side')?.containerID);
    await lab.until(() => lab.starts().length === 3, 'three starts');
    expect(lab.starts().slice(0, 2)).toEqual(['1 before', '1 before']);
    expect(lab.starts()[2]).toBe('2 after');
  });

  test('to another name of the same image shows in the container id alone', async () => {
    await start();
    await lab.createPod([container('side', 'good:1')]);
    const before = statusOf(await lab.untilReady(), 'side')!;
    await lab.setImage(0, 'good:1-alias');
    const after = await lab.untilPod((pod) => statusOf(pod, 'side')?.restartCount === 1, 'the restart');
    expect(statusOf(after, 'side')).toMatchObject({ image: 'good:1', imageID: before.imageID });
    expect(statusOf(after, 'side')?.containerID).not.toBe(before.containerID);
  });

  test('to an image that is nowhere ends the old container first, and a good image then runs at once', async () => {
    await start({ backOff: 'real' });
    await lab.createPod([container('app', 'good:1'), container('side', 'good:1')]);
    const before = statusOf(await lab.untilReady(), 'side')!;
    await lab.setImage(1, 'absent:1');
    const broken = await lab.untilPod((pod) => statusOf(pod, 'side')?.state.waiting, 'a waiting side');
    expect(statusOf(broken, 'side')).toMatchObject({
      // The first try counted, so whoever looks late sees the next one held back.
      state: { waiting: { reason: expect.stringMatching(/^(ErrImagePull|ImagePullBackOff|CrashLoopBackOff)$/) } },
      containerID: before.containerID,
      imageID: before.imageID,
      restartCount: 0,
      ready: false,
    });
    expect(kubelet.containers().map(({ container: name }) => name)).toEqual(['app']);
    await lab.setImage(1, 'good:2');
    const after = await lab.untilPod(isReady, 'a Ready pod again');
    expect(statusOf(after, 'side')).toMatchObject({ image: 'good:2', restartCount: 1 });
    expect(lab.restartsOf('app')).toBe(0);
  });

  test('with the lag of a real kubelet never shows the pod as not Ready', async () => {
    await start({ statusLag: 'real' });
    await lab.createPod([container('side', 'good:1')]);
    await lab.untilReady();
    await lab.setImage(0, 'good:2');
    const seen = new Set<string>();
    await lab.untilPod((pod) => {
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
    await lab.createPod([container('app', 'good:1'), container('side', 'good:1', waits)]);
    await lab.untilReady();
    await lab.setImage(1, 'good:2');
    await lab.until(() => lab.restartsOf('side') === 1, 'the new side');
    await lab.setImage(0, 'good:3');
    await lab.setImage(0, 'good:2');
    expect(statusOf(await lab.getPod(), 'side')?.image).toBe('good:1');
    writeFileSync(lab.note('go'), '');
    await lab.untilPod((pod) => statusOf(pod, 'app')?.image === 'good:2' && isReady(pod), 'the new app');
    const order = lab.log.filter(({ event }) => event === 'post-start' || event === 'killing');
    const hookEnd = order.findIndex(({ event, ok, tookMs }) => event === 'post-start' && ok && Number(tookMs) > 15);
    expect(order.findIndex(({ event, container: of }) => event === 'killing' && of === 'app')).toBeGreaterThan(hookEnd);
    expect(lab.restartsOf('app')).toBe(1);
  });

  test('that fails ends the container, and says so without its output', async () => {
    await start({ backOff: 'real' });
    await lab.createPod([container('app', 'good:1'), container('side', 'good:1', hook('echo secret; exit 1'))]);
    const pod = await lab.untilPod(
      (each) => statusOf(each, 'side')?.state.waiting?.reason === 'PostStartHookError',
      'the error',
    );
    expect(statusOf(pod, 'side')?.ready).toBe(false);
    expect(statusOf(pod, 'app')).toMatchObject({ ready: true, restartCount: 0 });
    await lab.untilPod((each) => statusOf(each, 'side')?.state.waiting?.reason === 'CrashLoopBackOff', 'the back-off');
    const { items } = await lab.api.list<KubeObject>(EVENTS, { namespace: 'lab' });
    const mine = items.filter(({ involvedObject }) => (involvedObject as { name: string }).name === lab.pod.name);
    expect(mine.map(({ reason }) => reason)).toContain('FailedPostStartHook');
    expect(JSON.stringify(mine)).not.toContain('secret');
  });
});

describe('the back-off of in-place changes', () => {
  // Longer than the changes of this test can take, so that only the rule decides what is held.
  const patient = { baseMs: 60_000, maxMs: 300_000, forgetMs: 600_000, retryMs: 50 };

  const change = async (image: string): Promise<string> => {
    const before = statusOf(await lab.getPod(), 'side')?.containerID;
    await lab.setImage(0, image);
    const pod = await lab.untilPod((each) => {
      const { containerID, state } = statusOf(each, 'side') ?? {};
      return state?.waiting || (containerID !== before && isReady(each));
    }, image);
    return statusOf(pod, 'side')?.state.waiting?.reason ?? 'running';
  };

  test('holds the third use of an image, as a real kubelet does, and not another image', async () => {
    await start({ backOff: patient });
    await lab.createPod([container('side', 'good:1')]);
    await lab.untilReady();
    const outcomes: string[] = [];
    for (const image of ['good:2', 'good:1', 'good:2', 'good:1']) outcomes.push(await change(image));
    expect(outcomes).toEqual(['running', 'running', 'running', 'CrashLoopBackOff']);
    await lab.setImage(0, 'good:3');
    expect(statusOf(await lab.untilPod(isReady, 'another image'), 'side')?.image).toBe('good:3');
  });

  test('does not hold one image under ever new names', async () => {
    await start({ backOff: patient });
    await lab.createPod([container('side', 'good:1')]);
    await lab.untilReady();
    const outcomes = new Set<string>();
    for (const tag of ['g1', 'g2', 'g3', 'g4', 'g5']) outcomes.add(await change(`empty:${tag}@${EMPTY_DIGEST}`));
    expect([...outcomes]).toEqual(['running']);
    expect(statusOf(await lab.getPod(), 'side')).toMatchObject({ imageID: `empty@${EMPTY_DIGEST}`, restartCount: 5 });
  });
});

test('a native sidecar starts before the app, and its image is changed without touching the app', async () => {
  await start();
  const mesh = container('mesh', 'good:1', { restartPolicy: 'Always' });
  await lab.createPod([container('app', 'good:2')], { initContainers: [mesh] });
  await lab.untilReady();
  await lab.until(() => lab.starts().length === 2, 'two starts');
  expect(lab.log.filter(({ event }) => event === 'started').map((line) => line.container)).toEqual(['mesh', 'app']);
  await lab.patchPod({ op: 'replace', path: '/spec/initContainers/0/image', value: 'good:3' });
  const after = await lab.untilPod((pod) => statusOf(pod, 'mesh')?.restartCount === 1 && isReady(pod), 'a new mesh');
  expect(statusOf(after, 'app')?.restartCount).toBe(0);
});
