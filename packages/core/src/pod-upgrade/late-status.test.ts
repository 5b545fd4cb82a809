import { expect, test } from '@jest/globals';
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
