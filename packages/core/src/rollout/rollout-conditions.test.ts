import { describe, expect, test } from '@jest/globals';
import { coldSet, hotSet } from '../../testing/sidecarsets.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';

const bad = { mesh: 'mesh:crash' };

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

  test('an upgraded pod that became unready and holds the slot: which pod, which container; those that wait for it are told apart', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { partition: 2 }), 3).image({ mesh: 'mesh:v2' }).run();
    const [done] = [...rollout.pods.values()].filter((pod) => pod.running(pod.pointer()) === 'mesh:v2');
    done?.unready.add('app');
    rollout.kubelets().look();
    expect(rollout.condition('Progressing')).toBe('False PodsNotReady');
    rollout.strategy({ partition: 0 }).look();
    const named = new RegExp(`1 upgraded pod not ready: shop/${done?.pod.metadata.name}: container app is not ready`);
    expect(rollout.condition('Progressing')).toBe('False PodsNotReady');
    expect(rollout.message('Progressing')).toMatch(named);
    expect(rollout.decision.blocked.map(({ reason, count }) => [reason, count])).toEqual([
      ['MaxUnavailableReached', 2],
      ['PodsNotReady', 1],
    ]);
    done?.unready.clear();
    rollout.kubelets().run();
    expect(rollout.on('mesh:v2')).toBe(3);
    expect(rollout.decision.blocked).toEqual([]);
  });

  test('an upgraded pod that became unready holds a canary step, which says so', () => {
    const steps = [
      { pods: 1, pause: {} },
      { pods: 2, pause: {} },
    ];
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 3, steps }), 3)
      .image({ mesh: 'mesh:v2' })
      .run();
    const [done] = [...rollout.pods.values()].filter((pod) => pod.running(pod.pointer()) === 'mesh:v2');
    done?.unready.add('app');
    rollout.kubelets().look();
    expect(rollout.condition('Progressing')).toBe('False StepInProgress');
    expect(rollout.message('Progressing')).toContain(`shop/${done?.pod.metadata.name}: container app is not ready`);
  });

  test('the partition is reached only once no pod beyond it waits for something of its own, such as a back-off', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { partition: 1 }), 4);
    const isHeldBack = () => rollout.decision.blocked.some(({ reason }) => reason === 'BackOffExpected');
    for (let edit = 0; edit < 20 && !(isHeldBack() && rollout.decision.status.upgradingPods === 0); edit += 1) {
      rollout.image({ mesh: edit % 2 === 0 ? 'mesh:v2' : 'mesh:v1' });
      for (let round = 0; round < 12; round += 1) {
        rollout.look();
        rollout.work().kubelets();
      }
      rollout.look();
    }
    expect(isHeldBack()).toBe(true);
    const { updatedPods = 0, matchedPods } = rollout.decision.status;
    expect(updatedPods).toBeLessThan(matchedPods - 1);
    expect(rollout.condition('Progressing')).toBe('False BackOffExpected');
    rollout.run();
    expect(rollout.decision.status.updatedPods).toBe(3);
    expect(rollout.condition('Progressing')).toBe('False PartitionReached');
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
