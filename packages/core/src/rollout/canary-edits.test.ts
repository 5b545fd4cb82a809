import { describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import { SIDESTEP } from '../api/keys.js';
import type { CanaryStep } from '../api/sidecarset.js';

const by = (...pods: CanaryStep['pods'][]): CanaryStep[] => pods.map((each) => ({ pods: each, pause: {} }));
const canary = (steps: CanaryStep[], count = 10) =>
  new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: count, steps }), count).image({ mesh: 'mesh:v2' }).run();
const waits = (rollout: SimulatedRollout) => ({
  on: rollout.on('mesh:v2'),
  step: rollout.decision.status.currentStep,
  paused: rollout.condition('Paused') === 'True StepPause',
});

describe('steps that are edited while the rollout waits at one', () => {
  test.each<[string, CanaryStep[], number, CanaryStep[], object]>([
    ['one step in place of two', by(1, 2), 1, by(4), { on: 4, step: 0, paused: true }],
    ['a higher number', by(1, 2), 1, by(1, 5), { on: 5, step: 1, paused: true }],
    ['a lower number: pods that are done stay', by(1, 4), 1, by(1, 2), { on: 4, step: 1, paused: true }],
    [
      'a step that lets what is over already is not waited at again',
      by(2, 4),
      1,
      by(1, 2, 6),
      { on: 6, step: 2, paused: true },
    ],
    ['a step after the one that waits', by(1, 2), 1, by(1, 2, 6), { on: 2, step: 1, paused: true }],
    ['a step between', by(1, 6), 1, by(1, 3, 6), { on: 6, step: 1, paused: true }],
    ['the step that waits is taken out', by(1, 4), 1, by(1), { on: 4, step: 0, paused: true }],
    ['the steps that are over are taken out', by(1, 2, 4), 2, by(4), { on: 4, step: 0, paused: true }],
    ['a percentage in place of a number', by(1, 2), 1, by('10%', '50%'), { on: 5, step: 1, paused: true }],
    ['the same numbers', by(1, 2), 1, by(1, 2), { on: 2, step: 1, paused: true }],
    ['the first step is another one', by(1), 0, by(3), { on: 3, step: 0, paused: true }],
    ['no step at all: a canary no more', by(1, 2), 1, [], { on: 10, step: undefined, paused: false }],
  ])('%s', (_, before, promotions, after, expected) => {
    const rollout = canary(before);
    for (let step = 0; step < promotions; step += 1) rollout.promote(step).run();
    rollout.strategy({ maxUnavailable: 10, steps: after }).run();
    expect(waits(rollout)).toEqual(expected);
    rollout.replacePlanner().run();
    expect(waits(rollout)).toEqual(expected);
  });

  test('a promotion of all steps is for those that there were: the first step that is not over is waited at again', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 1, steps: by(1, 2) }), 10);
    rollout.image({ mesh: 'mesh:v2' }).run().promote('all').look();
    rollout.work().kubelets();
    rollout.strategy({ maxUnavailable: 1, steps: by(1, 2, 5) }).run();
    expect(waits(rollout)).toEqual({ on: 2, step: 1, paused: true });
    rollout.promote('all').run();
    expect(rollout.on('mesh:v2')).toBe(10);
  });

  test('another pause of the same steps leaves the step, its promotion and its time as they are', () => {
    const rollout = canary(by(1, 2)).promote(0).run();
    const { stepsSince, stepGoodSince } = rollout.decision.status;
    rollout
      .wait(30)
      .strategy({ maxUnavailable: 10, steps: [{ pods: 1 }, { pods: 2, pause: { seconds: 60 } }] })
      .look();
    expect(rollout.decision.status).toMatchObject({ currentStep: 1, stepsSince, stepGoodSince });
    expect(rollout.decision.requeueAfterMs).toBeLessThanOrEqual(30_000);
  });

  test('an edit that changes the image, too, is another revision, which starts at the first step', () => {
    const rollout = canary(by(1, 4)).promote(0).run();
    rollout.edit((set) => ({ ...set, spec: { ...set.spec, updateStrategy: { maxUnavailable: 10, steps: by(2, 6) } } }));
    rollout.image({ mesh: 'mesh:v3' }).run();
    expect(rollout.on('mesh:v3')).toBe(2);
    expect(rollout.decision.status.currentStep).toBe(0);
  });

  test('a percentage that means other numbers, since pods came, leaves the step as it is', () => {
    const rollout = canary(by('20%', '40%')).promote(0).run();
    for (let i = 0; i < 10; i += 1) rollout.addPod(`late-${i}`);
    rollout.kubelets().run();
    expect(rollout.decision.status.currentStep).toBe(1);
  });

  test('steps that come in the middle of a rollout without any hold it at the first', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 1 }), 6).image({ mesh: 'mesh:v2' });
    for (let i = 0; i < 8; i += 1) {
      rollout.look();
      rollout.work().kubelets();
    }
    rollout.strategy({ maxUnavailable: 1, steps: by(1, 6) }).run();
    expect(waits(rollout)).toMatchObject({ step: 0, paused: true });
    expect(rollout.on('mesh:v2')).toBeLessThan(6);
  });

  test('steps are not over because updateStrategy.selector chose few pods: they hold what is chosen later', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: 10 }), 4);
    const one = { matchLabels: { 'statefulset.kubernetes.io/pod-name': 'pod-0' } };
    const chosen = rollout.pods.get('pod-0')?.pod;
    if (chosen !== undefined) chosen.metadata.labels = { ...chosen.metadata.labels, ...one.matchLabels };
    rollout.kubelets();
    rollout
      .image({ mesh: 'mesh:v2' })
      .strategy({ maxUnavailable: 10, selector: one, steps: by(1, 3) })
      .run();
    expect(rollout.on('mesh:v2')).toBe(1);
    expect(rollout.condition('Progressing')).toBe('False PartitionReached');
    rollout.edit(({ spec, ...set }) => ({
      ...set,
      spec: { ...spec, updateStrategy: { maxUnavailable: 10, steps: by(1, 3) } },
    }));
    rollout.run();
    expect(waits(rollout)).toEqual({ on: 1, step: 0, paused: true });
  });
});

describe('a promotion is for one canary', () => {
  const failing = { failurePolicy: { maxFailures: 0, action: 'Rollback' } } as const;

  test('a revision that was taken back and is tried again starts at step one, whatever was promoted before', () => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1', { steps: by(1, 2), ...failing }), 6);
    rollout.image({ mesh: 'mesh:v2' }).run().promote(0).run().promote(1).look();
    rollout.work();
    for (const pod of rollout.pods.values()) pod.failing.add('mesh:v2');
    rollout.kubelets().run();
    expect(rollout.condition('Degraded')).toBe('True RolledBack');
    expect(rollout.decision.status.stepsSince).toBeUndefined();
    for (const pod of rollout.pods.values()) pod.failing.clear();
    rollout.wait(3_600).annotate(SIDESTEP.retry, 'again').run();
    expect(waits(rollout)).toEqual({ on: 1, step: 0, paused: true });
    rollout.promote(0).run();
    expect(waits(rollout)).toEqual({ on: 2, step: 1, paused: true });
  });

  test('a revision that comes again starts at step one, whatever was promoted before', () => {
    const rollout = canary(by(1, 4)).promote('all').run();
    expect(rollout.on('mesh:v2')).toBe(10);
    rollout.wait(3_600).image({ mesh: 'mesh:v1' }).run().promote('all').run();
    expect(rollout.on('mesh:v1')).toBe(10);
    rollout.wait(3_600).image({ mesh: 'mesh:v2' }).run();
    expect(waits(rollout)).toEqual({ on: 1, step: 0, paused: true });
  });

  test('even where its first promotion still stands', () => {
    const rollout = canary(by(1, 4)).promote('all').run();
    const standing = rollout.set.metadata.annotations?.[SIDESTEP.promote] ?? '';
    rollout.wait(3_600).image({ mesh: 'mesh:v1' }).run().promote('all').run();
    rollout.wait(3_600).annotate(SIDESTEP.promote, standing).image({ mesh: 'mesh:v2' }).run();
    expect(waits(rollout)).toEqual({ on: 1, step: 0, paused: true });
  });

  test('the next planner takes a promotion that was given meanwhile', () => {
    const rollout = canary(by(1, 4)).promote(0).replacePlanner().run();
    expect(waits(rollout)).toEqual({ on: 4, step: 1, paused: true });
  });

  test('a planner that finds the status of an older version goes on where that stood', () => {
    const rollout = canary(by(1, 4)).promote(0).run();
    const { stepsSince: _, observedSteps: __, ...status } = rollout.decision.status;
    rollout.set = { ...rollout.set, status };
    rollout.replacePlanner().run();
    expect(waits(rollout)).toEqual({ on: 4, step: 1, paused: true });
    rollout.promote(1).run();
    expect(rollout.on('mesh:v2')).toBe(10);
  });
});
