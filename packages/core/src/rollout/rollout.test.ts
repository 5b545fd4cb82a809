import { describe, expect, test } from '@jest/globals';
import { hotSet, withImages } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import { SIDESTEP } from '../api/keys.js';

describe('a rollout of hot sidecars', () => {
  test('brings every pod to the new image and says so', () => {
    const rollout = new SimulatedRollout(hotSet(), 5);
    expect(rollout.condition('Progressing')).toBe('False RolloutComplete');
    rollout.image({ mesh: 'mesh:v2' }).run();
    expect(rollout.on('mesh:v2')).toBe(5);
    expect(rollout.decision.status).toMatchObject({
      matchedPods: 5,
      updatedPods: 5,
      readyPods: 5,
      updatedReadyPods: 5,
      upgradingPods: 0,
      failedPods: 0,
      currentRevision: rollout.decision.status.latestRevision,
    });
    expect(rollout.condition('Ready')).toBe('True AllPodsReady');
    expect(rollout.condition('Degraded')).toBe('False NoFailures');
    expect(rollout.condition('Paused')).toBe('False NotPaused');
    expect(rollout.events).toEqual(['RollingOut', 'RolloutComplete']);
  });

  test.each([1, 2, 3])('never has more than maxUnavailable = %i pods with two live sidecars', (maxUnavailable) => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable }), 9);
    rollout.image({ mesh: 'mesh:v2' }).run();
    expect(rollout.mostOpen).toBe(maxUnavailable);
    expect(rollout.on('mesh:v2')).toBe(9);
  });

  test('a revision that comes in the middle does not open more pods than allowed: those under way count although they are not updated', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 2 }), 6);
    rollout.image({ mesh: 'mesh:slow' }).look();
    rollout.work().kubelets();
    rollout.image({ mesh: 'mesh:v3' }).run();
    expect(rollout.mostOpen).toBe(2);
    expect(rollout.on('mesh:v3')).toBe(6);
  });

  test('a pod that can be reset goes before one that is begun', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 2 }), 6);
    rollout.image({ mesh: 'mesh:v2' }).look();
    const [first] = rollout.decision.jobs;
    rollout.work(first === undefined ? [] : [first]);
    rollout.pods.get(first?.pod ?? '')?.kubelet();
    const { jobs } = rollout.look();
    expect(jobs[0]).toMatchObject({ pod: first?.pod, phase: 'reset', priority: 1 });
    expect(jobs.filter((job) => job.phase === 'upgrade')).toEqual([]);
  });

  test('each job is handed out once, all of them again on a resync', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 3 }), 6);
    expect(rollout.image({ mesh: 'mesh:v2' }).look().jobs).toHaveLength(3);
    expect(rollout.look().jobs).toEqual([]);
    expect(rollout.ledger.decide(rollout.clock, { resync: true }).jobs).toHaveLength(3);
  });

  test('a planner that takes over in the middle goes on with the very same jobs', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 2 }), 6);
    const before = rollout.image({ mesh: 'mesh:v2' }).look().jobs;
    expect(rollout.replacePlanner().look().jobs).toEqual(before);
    rollout.work().kubelets().run();
    expect(rollout.on('mesh:v2')).toBe(6);
  });

  test('a newcomer that sorts first does not take the slot of a pod that was picked and may be begun by now', () => {
    const rollout = new SimulatedRollout(hotSet(), 3);
    rollout.image({ mesh: 'mesh:v2' }).look();
    const [picked] = rollout.decision.jobs;
    const late = new SimulatedPod({ ...hotSet(), metadata: { name: 'mesh-set' } }, 'pod-late');
    late.pod.metadata.creationTimestamp = '2026-03-01T12:00:00Z';
    rollout.pods.set('pod-late', late);
    // Its kubelet reports something meanwhile; the pod is still not begun.
    rollout.pods.get(picked?.pod ?? '')?.report();
    expect(rollout.look().jobs).toEqual([]);
    rollout.work(picked === undefined ? [] : [picked]);
    expect(rollout.mostOpen).toBe(1);
  });
});

describe('hotUpgradeEmptyImage is changed for many pods', () => {
  const newEmpty = (rollout: SimulatedRollout) =>
    rollout.edit((set) => ({
      ...set,
      spec: {
        ...set.spec,
        containers: (set.spec.containers ?? []).map((container) => ({
          ...container,
          upgradeStrategy: { ...container.upgradeStrategy, hotUpgradeEmptyImage: 'mesh:empty-2' },
        })),
      },
    }));
  const changed = (rollout: SimulatedRollout) =>
    [...rollout.pods.values()].filter((pod) => pod.images()['mesh-2'] === 'mesh:empty-2').length;

  test('partition 100% keeps every pod as it is, where OpenKruise rewrites all of them within milliseconds', () => {
    const rollout = newEmpty(new SimulatedRollout(hotSet('mesh:v1', { partition: '100%' }), 3)).run();
    expect(changed(rollout)).toBe(0);
    expect(rollout.condition('Progressing')).toBe('False PartitionReached');
  });

  test('pods follow one by one, stay upgradable, and their working containers never restart', () => {
    const rollout = newEmpty(new SimulatedRollout(hotSet(), 3));
    rollout.look();
    rollout.work();
    expect(changed(rollout)).toBe(1);
    rollout.kubelets().run();
    expect(changed(rollout)).toBe(3);
    expect([...rollout.pods.values()].map((pod) => pod.restartsOf('mesh-1'))).toEqual([0, 0, 0]);
    rollout.image({ mesh: 'mesh:v2' }).run();
    expect(rollout.on('mesh:v2')).toBe(3);
  });
});

describe('abort by annotation', () => {
  test('stops the rollout of that revision and takes half done pods back; the next revision is not concerned', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 2 }), 4).image({ mesh: 'mesh:slow' });
    rollout.look();
    rollout.work().kubelets();
    rollout.annotate(SIDESTEP.abort, rollout.decision.status.latestRevision ?? '').run();
    expect(rollout.on('mesh:v1')).toBe(4);
    expect(rollout.condition('Paused')).toBe('True AbortRequested');
    rollout.image({ mesh: 'mesh:v2' }).run();
    expect(rollout.on('mesh:v2')).toBe(4);
  });

  test('stands until a retry: a revision that comes again after another is stopped still, and the condition names it', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1'), 2).image({ mesh: 'mesh:v2' });
    rollout.look();
    const aborted = rollout.decision.status.latestRevision ?? '';
    rollout.annotate(SIDESTEP.abort, aborted).run();
    rollout.image({ mesh: 'mesh:v3' }).run();
    rollout.image({ mesh: 'mesh:v2' }).run();
    expect(rollout.on('mesh:v3')).toBe(2);
    expect(rollout.condition('Paused')).toBe('True AbortRequested');
    expect(rollout.message('Paused')).toContain(`the rollout of ${aborted} was asked to stop`);
  });
});

test('an abort after a retry is what every condition speaks of, and one Event', () => {
  const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: {} }), 3).image({ mesh: 'mesh:crash' }).run();
  rollout.wait(700).annotate(SIDESTEP.retry, 'now').look();
  rollout.work();
  rollout.annotate(SIDESTEP.abort, rollout.decision.status.latestRevision ?? '').run();
  expect(rollout.condition('Progressing')).toBe('False AbortRequested');
  expect(rollout.condition('Paused')).toBe('True AbortRequested');
  expect(rollout.condition('Degraded')).toBe('False NoFailures');
  expect(rollout.events.filter((reason) => reason === 'AbortRequested')).toHaveLength(1);
});

test('pods that cannot be upgraded in place are told of in one Event', () => {
  const rollout = new SimulatedRollout(hotSet(), 3);
  rollout.run();
  rollout.edit((set) => ({
    ...set,
    spec: {
      ...set.spec,
      containers: (set.spec.containers ?? []).map((each) => ({ ...each, env: [{ name: 'NEW', value: '1' }] })),
    },
  }));
  rollout.run();
  expect(rollout.condition('Progressing')).toBe('False NotUpgradablePods');
  expect(rollout.events.filter((reason) => reason === 'NotUpgradablePods')).toHaveLength(1);
});

test('an edit that goes back in the middle ends with every pod on the first image and the status in line', () => {
  const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 2 }), 5).image({ mesh: 'mesh:nopull' });
  rollout.look();
  rollout.work().kubelets();
  rollout.edit((set) => withImages(set, { mesh: 'mesh:v1' })).run();
  expect(rollout.on('mesh:v1')).toBe(5);
  expect(rollout.decision.status).toMatchObject({ updatedPods: 5, readyPods: 5, upgradingPods: 0 });
});
