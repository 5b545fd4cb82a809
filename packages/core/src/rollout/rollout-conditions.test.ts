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
