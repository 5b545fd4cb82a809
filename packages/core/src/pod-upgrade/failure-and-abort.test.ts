import { describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { KRUISE, SIDESTEP } from '../api/keys.js';

/** An injected pod on v1 with the SidecarSet edited to v2. */
const onTheWay = (strategy = {}, image = 'mesh:v2') =>
  new SimulatedPod(hotSet('mesh:v1', strategy)).wait(3600).image({ mesh: image });

const versions = (pod: SimulatedPod) =>
  ['mesh-1', 'mesh-2'].map((name) => [
    pod.annotation(`${KRUISE.versionPrefix}${name}`),
    pod.annotation(`${KRUISE.versionAltPrefix}${name}`),
  ]);

describe('failure', () => {
  test.each([
    ['mesh:nopull', 'ImagePullFailed'],
    ['mesh:crash', 'CrashLoop'],
    ['mesh:hookfails', 'PostStartHookFailed'],
  ])('%s is told as %s, with the container and what the kubelet says', (image, reason) => {
    const pod = onTheWay({}, image);
    pod.run('upgrade');
    pod.wait(2).kubelet();
    const decision = pod.look();
    expect(decision).toMatchObject({ state: 'Failed', due: 'migration', reason, container: 'mesh-2' });
    expect(decision.message).toContain(image);
    expect(decision.events).toEqual([expect.objectContaining({ type: 'Warning', reason: 'SidecarUpgradeFailed' })]);
  });

  test.each([
    ['ErrImagePull', 'ImagePullFailed'],
    ['ImagePullBackOff', 'ImagePullFailed'],
    ['ErrImageNeverPull', 'ImagePullFailed'],
    ['RegistryUnavailable', 'ImagePullFailed'],
    ['SignatureValidationFailed', 'ImagePullFailed'],
    ['ImageInspectError', 'ImagePullFailed'],
    ['InvalidImageName', 'InvalidImage'],
    ['CreateContainerError', 'ContainerCannotStart'],
    ['CreateContainerConfigError', 'ContainerCannotStart'],
    ['RunContainerError', 'ContainerCannotStart'],
    ['PreCreateHookError', 'ContainerCannotStart'],
    ['PreStartHookError', 'ContainerCannotStart'],
    ['PostStartHookError', 'PostStartHookFailed'],
    ['CrashLoopBackOff', 'CrashLoop'],
  ])('a container that the kubelet lets wait for %s fails with %s', (waiting, reason) => {
    const pod = onTheWay({}, 'mesh:nopull');
    pod.run('upgrade');
    pod.wait(2).kubelet();
    const status = pod.pod.status?.containerStatuses?.find(({ name }) => name === 'mesh-2');
    Object.assign(status ?? {}, { state: { waiting: { reason: waiting } } });
    expect(pod.look()).toMatchObject({ state: 'Failed', reason, container: 'mesh-2' });
  });

  test('without a failurePolicy a failed pod waits, as in OpenKruise, and is done when the image can be had after all', () => {
    const pod = onTheWay({}, 'mesh:nopull');
    pod.run('upgrade');
    pod.wait(600).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Failed', due: 'migration' });
    expect(pod.owners.get('mesh')).toBe('mesh-1');
  });

  test('progressDeadlineSeconds makes a pod that hangs fail, and the decision says when to look again', () => {
    const pod = onTheWay({ progressDeadlineSeconds: 60 }, 'mesh:slow');
    pod.run('upgrade');
    pod.wait(35).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Upgrading', retryAfterMs: 25_000 });
    pod.wait(25);
    expect(pod.look()).toMatchObject({ state: 'Failed', reason: 'DeadlineExceeded' });
  });

  test('a pod that hangs has no deadline unless one is set', () => {
    const pod = onTheWay({}, 'mesh:slow');
    pod.run('upgrade');
    pod.wait(100_000).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Upgrading', due: 'migration' });
    expect(pod.look().retryAfterMs).toBeUndefined();
  });

  test('a next image that cannot be pulled either is told as failed, once the kubelet must have reported', () => {
    const pod = onTheWay({}, 'mesh:nopull');
    pod.run('upgrade');
    pod.wait(2).kubelet().image({ mesh: 'mesh:nopull-2' });
    pod.run('upgrade');
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Upgrading' });
    pod.now += pod.look().retryAfterMs ?? 0;
    expect(pod.look()).toMatchObject({ state: 'Failed', reason: 'ImagePullFailed' });
  });

  test('with podAction Keep the failed pod stays as it is', () => {
    const pod = onTheWay({ failurePolicy: { podAction: 'Keep' } }, 'mesh:crash');
    pod.run('upgrade');
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Failed', due: 'migration' });
  });
});

describe('abort', () => {
  test('takes the pod back in one write and does not touch the old container', () => {
    const pod = onTheWay({ failurePolicy: {} }, 'mesh:crash');
    const before = pod.stamp();
    pod.run('upgrade');
    pod.wait(2).kubelet();
    const { events } = pod.run('abort');
    expect(events).toEqual([expect.objectContaining({ type: 'Warning', reason: 'SidecarUpgradeAborted' })]);
    pod.wait(2).kubelet();
    expect(pod.images()).toEqual({ 'mesh-1': 'mesh:v1', 'mesh-2': 'mesh:empty', app: 'app:1' });
    expect(pod.pointer()).toBe('mesh-1');
    expect(versions(pod)[0]).toEqual(['1', '0']);
    expect(versions(pod)[1]?.[0]).toBe('0');
    expect(pod.stamp()).toMatchObject({ hash: before.hash, controllerRevision: before.controllerRevision });
    expect(pod.restartsOf('mesh-1')).toBe(0);
    expect(pod.owners.get('mesh')).toBe('mesh-1');
  });

  test('a pod that failed is not begun again for that revision, and is for another', () => {
    const pod = onTheWay({ failurePolicy: {} }, 'mesh:crash');
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('abort');
    pod.wait(700).kubelet();
    expect(pod.look()).toMatchObject({ due: 'none', reason: 'FailedBefore' });
    pod.image({ mesh: 'mesh:v3' });
    expect(pod.look()).toMatchObject({ due: 'upgrade', attempt: 1 });
  });

  test('a retry token lets the failed pod try once more, as another attempt', () => {
    const pod = onTheWay({ failurePolicy: {} }, 'mesh:crash');
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('abort');
    pod.wait(700).kubelet();
    pod.set.metadata.annotations = { ...pod.set.metadata.annotations, [SIDESTEP.retry]: 'a' };
    expect(pod.look()).toMatchObject({ due: 'upgrade', attempt: 2 });
  });

  test('without the record the hash is worked out from the images that the pod is left with', () => {
    const pod = onTheWay({ failurePolicy: {} }, 'mesh:crash');
    const before = pod.stamp().hash;
    pod.run('upgrade');
    pod.wait(2).kubelet();
    const { [SIDESTEP.upgrade]: _, ...annotations } = pod.pod.metadata.annotations ?? {};
    pod.pod.metadata = { ...pod.pod.metadata, annotations };
    pod.run('abort');
    expect(pod.stamp().hash).toBe(before);
  });

  test('is done for every pod half way when the rollout is asked to stop, and none is begun', () => {
    const pod = onTheWay({}, 'mesh:slow');
    pod.run('upgrade');
    pod.wait(2).kubelet();
    const latest = pod.set.status?.latestRevision ?? '';
    pod.set.metadata.annotations = { ...pod.set.metadata.annotations, [SIDESTEP.abort]: latest };
    expect(pod.look()).toMatchObject({ due: 'abort', reason: 'AbortRequested' });
    pod.run('abort');
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Idle', due: 'none', reason: 'AbortRequested' });
  });

  test('that is asked for counts as asked for, also on a pod that had failed by then and was to be tried again', () => {
    const pod = onTheWay({ failurePolicy: {} }, 'mesh:crash');
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('abort');
    pod.wait(700).kubelet();
    const latest = pod.set.status?.latestRevision ?? '';
    pod.set.metadata.annotations = { ...pod.set.metadata.annotations, [SIDESTEP.retry]: 'a' };
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.set.metadata.annotations = { ...pod.set.metadata.annotations, [SIDESTEP.abort]: latest };
    expect(pod.look()).toMatchObject({ state: 'Failed', due: 'abort', reason: 'AbortRequested' });
    pod.run('abort');
    const records = JSON.parse(pod.pod.metadata.annotations?.[SIDESTEP.upgrade] ?? '{}') as Record<string, object>;
    expect(Object.values(records)).toMatchObject([{ phase: 'Aborted', reason: 'AbortRequested' }]);
  });

  test('that was asked for another revision has no effect', () => {
    const pod = onTheWay();
    pod.set.metadata.annotations = { ...pod.set.metadata.annotations, [SIDESTEP.abort]: 'r-other' };
    expect(pod.look().due).toBe('upgrade');
  });
});
