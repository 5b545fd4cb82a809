import { describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import { SIDESTEP } from '../api/keys.js';

const bad = { mesh: 'mesh:crash' };

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
    rollout.promote(1).run();
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

  test.each(['', ':1', ':all', '@2026-01-01T00:00:00Z:all'])(
    'a promotion that names the revision alone, or another time at which it began, has no effect: <revision>%s',
    (rest) => {
      const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 8, steps }), 8);
      rollout.image({ mesh: 'mesh:v2' }).run();
      rollout.annotate(SIDESTEP.promote, `${rollout.decision.status.latestRevision}${rest}`).run();
      expect(rollout.on('mesh:v2')).toBe(4);
      expect(rollout.message('Paused')).toContain('does not name these steps');
    },
  );

  test('a promotion that was meant for another revision has no effect, `all` ends every pause', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 8, steps }), 8);
    rollout.annotate(SIDESTEP.promote, 'r-zzzzzz:all').image({ mesh: 'mesh:v2' }).run();
    expect(rollout.on('mesh:v2')).toBe(4);
    rollout.promote('all').run();
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
