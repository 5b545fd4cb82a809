import { describe, expect, test } from '@jest/globals';
import { coldSet, hotSet, SimulatedPod, withImages } from '../../testing/simulated-pod.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import { SIDESTEP } from '../api/keys.js';

const bad = { mesh: 'mesh:crash' };

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

describe('what keeps a rollout from moving is said', () => {
  test('maxUnavailable 0: OpenKruise waits for ever in silence', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 0 }), 3);
    rollout.image({ mesh: 'mesh:v2' }).look();
    expect(rollout.decision.jobs).toEqual([]);
    expect(rollout.condition('Progressing')).toBe('False MaxUnavailableZero');
    expect(rollout.decision.events).toContainEqual(
      expect.objectContaining({ type: 'Warning', reason: 'MaxUnavailableZero' }),
    );
    expect(rollout.decision.blocked).toEqual([expect.objectContaining({ reason: 'MaxUnavailableZero', count: 3 })]);
  });

  test('partition: the pods it keeps are counted', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 5, partition: 3 }), 5);
    rollout.image({ mesh: 'mesh:v2' }).run();
    expect(rollout.on('mesh:v2')).toBe(2);
    expect(rollout.condition('Progressing')).toBe('False PartitionReached');
    expect(rollout.decision.blocked).toEqual([expect.objectContaining({ reason: 'PartitionReached', count: 3 })]);
    expect(rollout.decision.status.currentRevision).not.toBe(rollout.decision.status.latestRevision);
  });

  test('a failed pod that holds its slot, without a failure policy: which pod, which container, why', () => {
    const rollout = new SimulatedRollout(hotSet(), 3).image(bad).run();
    expect(rollout.condition('Progressing')).toBe('False MaxUnavailableReached');
    expect(rollout.condition('Degraded')).toBe('True PodsFailed');
    expect(rollout.decision.status.failedPods).toBe(1);
    const degraded = rollout.decision.status.conditions?.find(({ type }) => type === 'Degraded');
    expect(degraded?.message).toMatch(/shop\/pod-\d: container mesh-2 with image mesh:crash is in CrashLoopBackOff/);
  });

  test('paused: begun pods are finished, no other is begun', () => {
    const rollout = new SimulatedRollout(hotSet(), 3).image({ mesh: 'mesh:v2' });
    rollout.look();
    rollout.work().strategy({ paused: true }).kubelets().run();
    expect(rollout.on('mesh:v2')).toBe(1);
    expect(rollout.mostOpen).toBe(1);
    expect(rollout.condition('Paused')).toBe('True Paused');
    expect(rollout.condition('Progressing')).toBe('False Paused');
    rollout.strategy({ paused: false }).run();
    expect(rollout.on('mesh:v2')).toBe(3);
  });

  test('NotUpdate: nothing is begun, and readyPods follows the pods, where OpenKruise lets it go stale', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { type: 'NotUpdate' }), 3).image({ mesh: 'mesh:v2' });
    rollout.look();
    expect(rollout.decision.jobs).toEqual([]);
    expect(rollout.condition('Progressing')).toBe('False NotUpdateStrategy');
    rollout.pods.get('pod-0')?.unready.add('app');
    rollout.kubelets().look();
    expect(rollout.decision.status.readyPods).toBe(2);
    expect(rollout.condition('Ready')).toBe('False PodsNotReady');
  });

  test('pods that cannot be upgraded in place: their condition is written once, and one Event says how many', () => {
    const rollout = new SimulatedRollout(coldSet(), 3).edit((set) => ({
      ...set,
      spec: { ...set.spec, containers: [{ name: 'log', image: 'log:v2', env: [{ name: 'A', value: '1' }] }] },
    }));
    const { conditionWrites, events, jobs } = rollout.look();
    expect(jobs).toEqual([]);
    expect(conditionWrites).toHaveLength(3);
    expect(conditionWrites[0]?.statusPatch.status.conditions).toEqual([
      expect.objectContaining({
        type: 'SidecarSetUpgradable',
        status: 'False',
        reason: 'UpdateImmutableField',
        message: '{"log-set":false}',
      }),
    ]);
    expect(events).toContainEqual({
      type: 'Normal',
      reason: 'NotUpgradablePods',
      message: 'SidecarSet in-place update detected 3 not upgradable pod(s) in this round, will skip them.',
    });
    expect(rollout.look().events.map(({ reason }) => reason)).not.toContain('NotUpgradablePods');
    expect(rollout.condition('Progressing')).toBe('False NotUpgradablePods');
  });

  test('no pod at all', () => {
    const rollout = new SimulatedRollout(hotSet(), 0);
    expect(rollout.condition('Progressing')).toBe('False NoMatchingPods');
    expect(rollout.decision.status.currentRevision).toBeUndefined();
  });
});

describe('failure policy', () => {
  test('a failed pod is aborted, gives its slot back, and is not begun again', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: { maxFailures: 5 } }), 4).image(bad).run();
    expect(rollout.on('mesh:v1')).toBe(4);
    expect(rollout.decision.status.failedPods).toBe(4);
    expect(rollout.condition('Degraded')).toBe('True PodsFailed');
    expect([...rollout.pods.values()].every((pod) => pod.restartsOf('mesh-1') === 0)).toBe(true);
  });

  test('once more pods failed than allowed no more are begun, also by the next planner', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: { maxFailures: 1 } }), 6).image(bad).run();
    expect(rollout.decision.status.failedPods).toBe(2);
    expect(rollout.condition('Degraded')).toBe('True TooManyFailures');
    expect(rollout.condition('Paused')).toBe('True TooManyFailures');
    rollout.replacePlanner().run();
    expect(rollout.decision.status.failedPods).toBe(2);
    expect(rollout.condition('Degraded')).toBe('True TooManyFailures');
  });

  test('it stays given up when the failed pods are deleted, until a retry is asked for', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: {} }), 4).image(bad).run();
    const failed = [...rollout.pods.keys()].filter((name) => rollout.ledger.summaryOf(`shop/${name}`)?.failed);
    for (const name of failed) rollout.removePod(name);
    rollout.run();
    expect(rollout.decision.status.failedPods).toBe(0);
    expect(rollout.condition('Paused')).toBe('True TooManyFailures');
    rollout.annotate(SIDESTEP.retry, 'now').run();
    expect(rollout.decision.status.failedPods).toBe(1);
  });

  test('another revision starts afresh', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: {} }), 4).image(bad).run();
    rollout.image({ mesh: 'mesh:v3' }).run();
    expect(rollout.on('mesh:v3')).toBe(4);
    expect(rollout.decision.status.failedRevision).toBeUndefined();
    expect(rollout.condition('Degraded')).toBe('False NoFailures');
  });

  test('Rollback: every pod goes back to the last good revision, and the spec is left as it is', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: { action: 'Rollback' } }), 4);
    rollout.image({ mesh: 'mesh:v2' }).run();
    const good = rollout.decision.status.currentRevision;
    rollout.wait(3600).image(bad).run();
    expect(rollout.decision.status.currentRevision).toBe(good);
    expect(rollout.on('mesh:v2')).toBe(4);
    expect(rollout.condition('Degraded')).toBe('True RolledBack');
    expect(rollout.condition('Progressing')).toBe('False RolledBack');
    expect(rollout.set.spec.containers?.[0]?.image).toBe('mesh:crash');
    expect(rollout.events).toContain('RollingBack');
  });

  test('Rollback with pods that took the bad revision well: these are upgraded back', () => {
    const rollout = new SimulatedRollout(
      hotSet('mesh:v1', { maxUnavailable: 1, failurePolicy: { action: 'Rollback' } }),
      4,
    );
    rollout.image({ mesh: 'mesh:v2' });
    rollout.look();
    rollout.work().kubelets();
    rollout.look();
    rollout.work().kubelets();
    expect(rollout.on('mesh:v2')).toBe(1);
    // The second pod's node cannot pull it.
    rollout.look();
    const second = rollout.pods.get(rollout.decision.jobs[0]?.pod ?? '');
    rollout.work();
    const failing = () => {
      const statuses = second?.pod.status?.containerStatuses ?? [];
      const changed = statuses.map((status) =>
        status.name === 'mesh-2' ? { ...status, ready: false, state: { waiting: { reason: 'ErrImagePull' } } } : status,
      );
      if (second !== undefined)
        second.pod = { ...second.pod, status: { ...second.pod.status, containerStatuses: changed } };
      if (second !== undefined) second.pod.metadata = { ...second.pod.metadata, resourceVersion: 'failing' };
    };
    failing();
    rollout.look();
    rollout.work().kubelets().run();
    expect(rollout.on('mesh:v1')).toBe(4);
    expect(rollout.condition('Degraded')).toBe('True RolledBack');
  });

  test('Rollback without a revision that ever ran well stops and says so', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { failurePolicy: { action: 'Rollback' } }), 0);
    for (const name of ['a', 'b', 'c']) rollout.addPod(name).unready.add('app');
    rollout.kubelets().image(bad).run();
    expect(rollout.condition('Degraded')).toBe('True NoGoodRevision');
  });
});

describe('canary steps', () => {
  const steps = [
    { pods: 1, pause: { seconds: 60 } },
    { pods: '50%', pause: {} },
  ];

  test('a timed pause ends by itself, a manual one by promotion, then all pods follow', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 8, steps }), 8);
    expect(rollout.decision.status.currentStep).toBe(2);
    rollout.image({ mesh: 'mesh:v2' });
    for (let i = 0; i < 6; i += 1) {
      rollout.look();
      rollout.work().kubelets();
    }
    rollout.look();
    expect(rollout.on('mesh:v2')).toBe(1);
    expect(rollout.condition('Paused')).toBe('True StepPause');
    expect(rollout.decision.requeueAfterMs).toBeLessThanOrEqual(60_000);
    rollout.run();
    expect(rollout.on('mesh:v2')).toBe(4);
    expect(rollout.decision.status.currentStep).toBe(1);
    expect(rollout.decision.requeueAfterMs).toBeUndefined();
    rollout.annotate(SIDESTEP.promote, `${rollout.decision.status.latestRevision}:1`).run();
    expect(rollout.on('mesh:v2')).toBe(8);
    expect(rollout.decision.status.currentStep).toBe(2);
  });

  test('the next planner goes on with the pause where it was', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { steps: [{ pods: 1, pause: { seconds: 60 } }] }), 4);
    rollout.image({ mesh: 'mesh:v2' });
    for (let i = 0; i < 6; i += 1) {
      rollout.look();
      rollout.work().kubelets();
    }
    const left = rollout.look().requeueAfterMs ?? 0;
    rollout.wait(20).replacePlanner().look();
    expect(rollout.decision.requeueAfterMs).toBe(left - 20_000);
  });

  test('a promotion that was meant for another revision has no effect, `all` ends every pause', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 8, steps }), 8);
    rollout.annotate(SIDESTEP.promote, 'r-other:all').image({ mesh: 'mesh:v2' }).run();
    expect(rollout.on('mesh:v2')).toBe(4);
    rollout.annotate(SIDESTEP.promote, `${rollout.decision.status.latestRevision}:all`).run();
    expect(rollout.on('mesh:v2')).toBe(8);
  });

  test('a step whose pods fail is never passed', () => {
    const rollout = new SimulatedRollout(
      hotSet('mesh:v1', { steps: [{ pods: 1 }], failurePolicy: { maxFailures: 0 } }),
      4,
    );
    rollout.image(bad).run();
    expect(rollout.decision.status).toMatchObject({ currentStep: 0, failedPods: 1 });
    expect(rollout.on('mesh:v1')).toBe(4);
  });

  test('another revision starts again at the first step', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 8, steps }), 8)
      .image({ mesh: 'mesh:v2' })
      .run();
    expect(rollout.on('mesh:v2')).toBe(4);
    rollout.image({ mesh: 'mesh:v3' }).look();
    expect(rollout.decision.status.currentStep).toBe(0);
  });
});

describe('minReadySeconds', () => {
  test('a pod counts as good only after that long, and holds its slot until then', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { minReadySeconds: 100 }), 2).image({ mesh: 'mesh:v2' });
    for (let i = 0; i < 8; i += 1) {
      rollout.look();
      rollout.work().kubelets();
    }
    expect(rollout.on('mesh:v2')).toBe(1);
    expect(rollout.condition('Progressing')).toBe('False WaitingForReadyTime');
    expect(rollout.decision.requeueAfterMs).toBeGreaterThan(0);
    rollout.run();
    expect(rollout.on('mesh:v2')).toBe(2);
  });
});

describe('prePull', () => {
  const set = hotSet('mesh:v1', { prePull: true, maxUnavailable: 3 });

  test('no pod is begun until every node has the image or is known not to get it', () => {
    const rollout = new SimulatedRollout(set, 3).image({ mesh: 'mesh:v2' });
    for (const [i, pod] of [...rollout.pods.values()].entries()) pod.pod.spec.nodeName = `node-${i}`;
    rollout.kubelets();
    const { prePull, jobs } = rollout.look();
    expect(jobs).toEqual([]);
    expect(prePull).toContainEqual({ node: 'node-0', image: 'mesh:v2' });
    expect(rollout.condition('Progressing')).toBe('False PrePulling');
    for (const { node, image } of prePull) rollout.ledger.setNodeImage(node, image, 'present');
    expect(rollout.look().jobs).toHaveLength(3);
  });

  test('a pod whose node could not get the image is not begun, the others are', () => {
    const rollout = new SimulatedRollout(set, 3).image({ mesh: 'mesh:v2' });
    for (const [i, pod] of [...rollout.pods.values()].entries()) pod.pod.spec.nodeName = `node-${i}`;
    const { prePull } = rollout.kubelets().look();
    for (const { node, image } of prePull) {
      rollout.ledger.setNodeImage(node, image, node === 'node-1' && image === 'mesh:v2' ? 'failed' : 'present');
    }
    expect(
      rollout
        .look()
        .jobs.map(({ pod }) => pod)
        .sort(),
    ).toEqual(['pod-0', 'pod-2']);
  });

  test('when only pods on such nodes are left, the condition says so', () => {
    const rollout = new SimulatedRollout(set, 1).image({ mesh: 'mesh:v2' });
    for (const { node, image } of rollout.look().prePull) rollout.ledger.setNodeImage(node, image, 'failed');
    expect(rollout.look().jobs).toEqual([]);
    expect(rollout.condition('Progressing')).toBe('False PrePullFailed');
  });

  test('only so many nodes pull at a time', () => {
    const rollout = new SimulatedRollout(set, 30).image({ mesh: 'mesh:v2' });
    for (const [i, pod] of [...rollout.pods.values()].entries()) pod.pod.spec.nodeName = `node-${i}`;
    expect(rollout.kubelets().look().prePull).toHaveLength(10);
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
});

test('an edit that goes back in the middle ends with every pod on the first image and the status in line', () => {
  const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 2 }), 5).image({ mesh: 'mesh:nopull' });
  rollout.look();
  rollout.work().kubelets();
  rollout.edit((set) => withImages(set, { mesh: 'mesh:v1' })).run();
  expect(rollout.on('mesh:v1')).toBe(5);
  expect(rollout.decision.status).toMatchObject({ updatedPods: 5, readyPods: 5, upgradingPods: 0 });
});
