/** The empty image does not start: the pod serves by its new container, but it is not ready, and not done. */
import { describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import type { ContainerStatus } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';

type Strategy = SidecarSet['spec']['updateStrategy'];

const emptyImage =
  (hotUpgradeEmptyImage: string, image?: string) =>
  (set: SidecarSet): SidecarSet => ({
    ...set,
    spec: {
      ...set.spec,
      containers: (set.spec.containers ?? []).map((each) => ({
        ...each,
        ...(image === undefined ? {} : { image }),
        upgradeStrategy: { ...each.upgradeStrategy, hotUpgradeEmptyImage },
      })),
    },
  });

/** Upgraded and reset, with that empty image; the kubelet has acted. */
function reset(empty: string, strategy: Strategy = {}): SimulatedPod {
  const pod = new SimulatedPod(hotSet('mesh:v1', strategy)).wait(3600).edit(emptyImage(empty, 'mesh:v2'));
  pod.run('upgrade');
  pod.wait(2).kubelet().run('reset');
  return pod.wait(2).kubelet();
}

function shows(pod: SimulatedPod, change: Partial<ContainerStatus>): SimulatedPod {
  const status = pod.pod.status?.containerStatuses?.find(({ name }) => name === 'mesh-1');
  Object.assign(status ?? {}, { ready: false, ...change });
  return pod;
}

const waiting = (reason: string) => ({ state: { waiting: { reason } } });

describe('an empty image after a Reset', () => {
  test('that cannot be pulled is a failure, with the container and what the kubelet says', () => {
    const decision = reset('mesh:empty-nopull').look();
    expect(decision).toMatchObject({ state: 'Failed', due: 'none', reason: 'ImagePullFailed', container: 'mesh-1' });
    expect(decision.message).toContain('container mesh-1 with image mesh:empty-nopull is in ErrImagePull');
  });

  test.each([
    ['CreateContainerError', 'ContainerCannotStart'],
    ['RunContainerError', 'ContainerCannotStart'],
    ['InvalidImageName', 'InvalidImage'],
  ])('that the kubelet lets wait for %s is a failure: %s', (word, reason) => {
    expect(shows(reset('mesh:empty-nopull'), waiting(word)).look()).toMatchObject({ state: 'Failed', reason });
  });

  test('is done when it can be had after all', () => {
    const pod = reset('mesh:empty-nopull').wait(600).edit(emptyImage('mesh:empty'));
    pod.run('upgrade');
    pod.wait(700).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Idle', reason: 'UpToDate' });
    expect(pod.images()).toMatchObject({ 'mesh-1': 'mesh:empty', 'mesh-2': 'mesh:v2' });
    expect(pod.restartsOf('mesh-2')).toBe(1);
  });

  test('that the kubelet holds back for its longest back-off is awaited, deadline or none, and then a failure', () => {
    const pod = shows(reset('mesh:empty-nopull', { progressDeadlineSeconds: 30 }), waiting('CrashLoopBackOff'));
    pod.wait(60);
    const { state, retryAfterMs = 0 } = pod.look();
    expect(state).toBe('Resetting');
    pod.now += retryAfterMs - 1_000;
    expect(pod.look()).toMatchObject({ state: 'Resetting' });
    pod.wait(2);
    expect(pod.look()).toMatchObject({ state: 'Failed', reason: 'CrashLoop', container: 'mesh-1' });
  });

  test('that keeps ending is a failure, and one that ended once is not', () => {
    const pod = reset('mesh:empty');
    const { restartCount = 0 } = pod.pod.status?.containerStatuses?.find(({ name }) => name === 'mesh-1') ?? {};
    expect(shows(pod, { ...waiting('CrashLoopBackOff'), restartCount: restartCount + 1 }).look().state).toBe('Idle');
    expect(shows(pod, { restartCount: restartCount + 2 }).look()).toMatchObject({
      state: 'Failed',
      reason: 'CrashLoop',
    });
  });

  test('that says nothing fails by the deadline, counted from when what ran before it had ended', () => {
    const pod = shows(reset('mesh:empty-nopull', { progressDeadlineSeconds: 60 }), waiting('ContainerCreating'));
    expect(pod.look()).toMatchObject({ state: 'Resetting', reason: 'EmptyImageStarting' });
    pod.wait(62);
    expect(pod.look()).toMatchObject({ state: 'Failed', reason: 'DeadlineExceeded', container: 'mesh-1' });
    shows(pod, { state: { running: { startedAt: '2026-03-01T10:00:00Z' } } });
    expect(pod.look()).toMatchObject({ state: 'Resetting' });
  });

  test('is no failure of an upgrade in a pod that was only ever injected', () => {
    const pod = new SimulatedPod(emptyImage('mesh:empty-nopull')(hotSet('mesh:v1')));
    expect(pod.look()).toMatchObject({ state: 'Idle', reason: 'UpToDate' });
  });
});

test('what an aborted container was aborted for is not held against its empty image, however late it is reported', () => {
  const pod = new SimulatedPod(hotSet('mesh:v1', { failurePolicy: {} })).wait(3600).image({ mesh: 'mesh:nopull' });
  pod.run('upgrade');
  pod.wait(2).kubelet().run('abort');
  pod.image({ mesh: 'mesh:v1' });
  const status = pod.pod.status?.containerStatuses?.find(({ name }) => name === 'mesh-2');
  Object.assign(status ?? {}, { state: { waiting: { reason: 'ImagePullBackOff' } }, ready: false });
  pod.wait(60);
  expect(pod.look()).toMatchObject({ state: 'Resetting', reason: 'EmptyImageStarting' });
  pod.wait(300);
  expect(pod.look()).toMatchObject({ state: 'Failed', reason: 'ImagePullFailed' });
});

describe('a rollout whose empty image cannot be pulled', () => {
  const edited = (strategy: Strategy) =>
    new SimulatedRollout(hotSet('mesh:v1', strategy), 4)
      .wait(3600)
      .edit(emptyImage('mesh:empty-nopull', 'mesh:v2'))
      .run();

  test('says which pod, container and why, and begins no more than maxUnavailable', () => {
    const rollout = edited({ maxUnavailable: 1 });
    expect(rollout.decision.status).toMatchObject({ failedPods: 1, upgradingPods: 1 });
    const degraded = rollout.decision.status.conditions?.find(({ type }) => type === 'Degraded');
    expect(degraded).toMatchObject({ status: 'True', reason: 'PodsFailed' });
    expect(degraded?.message).toMatch(/shop\/pod-\d: container mesh-1 with image mesh:empty-nopull is in ErrImagePull/);
    expect(rollout.condition('Progressing')).toBe('False MaxUnavailableReached');
    expect(rollout.events).toContain('PodsFailed');
  });

  test('is told on the pod itself, once, whatever the kubelet says next, and once more when it fails again', () => {
    const rollout = edited({ maxUnavailable: 1 });
    expect(rollout.podEvents).toEqual([
      expect.stringMatching(/^pod-\d mesh-1 ImagePullFailed: container mesh-1 with image mesh:empty-nopull is in/),
    ]);
    const [failed] = [...rollout.pods.values()].filter((pod) => pod.look().state === 'Failed');
    const pod = shows(failed as SimulatedPod, waiting('ImagePullBackOff'));
    pod.pod = { ...pod.pod, metadata: { ...pod.pod.metadata, resourceVersion: 'next' } };
    expect(rollout.look().blocked.map(({ reason }) => reason)).toContain('ImagePullFailed');
    expect(rollout.podEvents).toHaveLength(1);
    rollout.edit(emptyImage('mesh:empty')).wait(700).run();
    rollout.edit(emptyImage('mesh:other-nopull', 'mesh:v3')).wait(3600).run();
    expect(rollout.podEvents.slice(1)).toEqual([expect.stringContaining('mesh:other-nopull')]);
    rollout.replacePlanner().look();
    expect(rollout.podEvents).toHaveLength(3);
  });

  test('is ended by the failure policy: no more pods are begun, and a later edit of the empty image mends those that were', () => {
    const rollout = edited({ failurePolicy: { maxFailures: 0 }, maxUnavailable: 1 });
    expect(rollout.condition('Degraded')).toBe('True TooManyFailures');
    expect(rollout.on('mesh:v2')).toBe(1);
    rollout.edit(emptyImage('mesh:empty')).wait(700).run();
    expect(rollout.on('mesh:v2')).toBe(4);
    expect(rollout.decision.status).toMatchObject({ failedPods: 0, updatedReadyPods: 4 });
  });

  test('is taken back by the failure policy, to the old image and the old empty image', () => {
    const rollout = new SimulatedRollout(
      hotSet('mesh:v1', { failurePolicy: { maxFailures: 0, action: 'Rollback' } }),
      3,
    );
    rollout.wait(3600).run();
    // The second look is at the status that the first one wrote.
    rollout.edit(emptyImage('mesh:empty-nopull', 'mesh:v2')).run().run();
    expect(rollout.condition('Degraded')).toBe('True RolledBack');
    expect(rollout.on('mesh:v1')).toBe(3);
    for (const pod of rollout.pods.values()) {
      expect(Object.values(pod.images()).sort()).toEqual(['app:1', 'mesh:empty', 'mesh:v1']);
      expect(pod.isReady()).toBe(true);
    }
  });
});
