import { describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';

/** v1 is upgraded to an image whose hook fails; the kubelet is in the hook, so its report is late, and the pod is aborted by time. */
const abortedInTheHook = (): SimulatedPod => {
  const strategy = { progressDeadlineSeconds: 20, failurePolicy: { podAction: 'Abort' as const } };
  const pod = new SimulatedPod(hotSet('mesh:v1', strategy)).wait(3600).image({ mesh: 'mesh:hookfails' });
  pod.run('upgrade');
  pod.act();
  pod.wait(21).run('abort');
  return pod;
};

test('what the kubelet reports late about an image that came and went is not held against the next one', () => {
  const pod = abortedInTheHook().image({ mesh: 'mesh:v3' });
  pod.run('upgrade');
  pod.report();
  expect(pod.look()).toMatchObject({ state: 'Upgrading', due: 'migration' });
  pod.wait(1).kubelet();
  expect(pod.look()).toMatchObject({ state: 'Migrated', due: 'reset' });
});

test('a next image that fails in the same way is told as failed', () => {
  const pod = abortedInTheHook().image({ mesh: 'other:hookfails' });
  pod.run('upgrade');
  pod.report();
  pod.wait(1).kubelet();
  expect(pod.look()).toMatchObject({ state: 'Failed', reason: 'PostStartHookFailed' });
});

describe('a kubelet that goes on trying to pull an image that is not wanted any more', () => {
  const says = (pod: SimulatedPod, reason: string): SimulatedPod => {
    const status = pod.pod.status?.containerStatuses?.find(({ name }) => name === 'mesh-2');
    Object.assign(status ?? {}, { state: { waiting: { reason, message: 'failed to pull image "mesh:nopull"' } } });
    return pod;
  };

  test.each([
    ['ErrImagePull', 'ImagePullBackOff'],
    ['ImagePullBackOff', 'ErrImagePull'],
    ['CrashLoopBackOff', 'ErrImagePull'],
  ])(
    'says %s before the next image is written and %s after it: that is not held against the next one',
    (before, after) => {
      const pod = new SimulatedPod(hotSet('mesh:v1', { failurePolicy: { podAction: 'Keep' } }));
      pod.wait(3600).image({ mesh: 'mesh:nopull' }).run('upgrade');
      says(pod.wait(2).kubelet(), before).image({ mesh: 'mesh:v3' }).run('upgrade');
      pod.strategy({ failurePolicy: { podAction: 'Abort' } });
      expect(says(pod.wait(1), after).look()).toMatchObject({ state: 'Upgrading', due: 'migration' });
      pod.wait(1).kubelet();
      expect(pod.look()).toMatchObject({ state: 'Migrated', due: 'reset' });
    },
  );
});

describe('a kubelet that holds back a container which had ended before the next image was written', () => {
  const waiting = (reason: string) => ({ waiting: { reason } });
  const terminated = { terminated: { exitCode: 137, finishedAt: '2026-03-01T12:00:00Z' } };

  test.each([
    ['its hook failed', waiting('PostStartHookError')],
    ['it could not be run', waiting('RunContainerError')],
    ['it crashed', terminated],
  ])('because %s: that is not held against the next one', (_, state) => {
    const strategy = { failurePolicy: { podAction: 'Keep' as const } };
    const pod = new SimulatedPod(hotSet('mesh:v1', strategy)).wait(3600).image({ mesh: 'mesh:crash' });
    pod.run('upgrade');
    const status = () => pod.pod.status?.containerStatuses?.find(({ name }) => name === 'mesh-2');
    pod.wait(2).kubelet();
    Object.assign(status() ?? {}, { state, ready: false });
    pod.image({ mesh: 'mesh:v3' }).run('upgrade');
    Object.assign(status() ?? {}, { state: waiting('CrashLoopBackOff') });
    expect(pod.wait(1).look()).toMatchObject({ state: 'Upgrading', due: 'migration' });
    pod.wait(1).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Migrated', due: 'reset' });
  });
});
