/** A pod fails half way, and then the revision it failed on is edited away while nothing new may be begun. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { coldSet, hotSet } from '../../testing/sidecarsets.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import { SIDESTEP } from '../api/keys.js';
import type { SidecarSet } from '../api/sidecarset.js';

type UpdateStrategy = NonNullable<SidecarSet['spec']['updateStrategy']>;

const withEnv = (set: SidecarSet): SidecarSet => ({
  ...set,
  spec: {
    ...set.spec,
    containers: (set.spec.containers ?? []).map((each) => ({ ...each, env: [{ name: 'LEVEL', value: 'debug' }] })),
  },
});

/** Everything that keeps the wanted revision from being begun, by the reason that then stands for the rollout. */
const BARS: Record<string, (rollout: SimulatedRollout) => SimulatedRollout> = {
  Paused: (rollout) => rollout.strategy({ paused: true }),
  NotUpdateStrategy: (rollout) => rollout.strategy({ type: 'NotUpdate' }),
  PartitionReached: (rollout) => rollout.strategy({ partition: '100%' }),
  'PartitionReached by selector': (rollout) => rollout.strategy({ selector: { matchLabels: { tier: 'canary' } } }),
  NotUpgradablePods: (rollout) => rollout.edit(withEnv),
  AbortRequested: (rollout) => rollout.annotate(SIDESTEP.abort, rollout.set.status?.latestRevision ?? ''),
};
const BAR_NAMES = Object.keys(BARS);
const NOT_ASKED_TO_STOP = BAR_NAMES.filter((name) => name !== 'AbortRequested');

/** One pod of the first round has failed, and nobody has looked since. */
function failing(strategy: UpdateStrategy, image = 'mesh:crash', pods = 3): SimulatedRollout {
  const rollout = new SimulatedRollout(hotSet('mesh:v1', strategy), pods).wait(3600).image({ mesh: image });
  rollout.look();
  return rollout.work().kubelets();
}

const bar = (rollout: SimulatedRollout, name: string): SimulatedRollout => BARS[name]?.(rollout) ?? rollout;

function expectHealthy(rollout: SimulatedRollout, image: string): void {
  expect(rollout.on(image)).toBe(rollout.pods.size);
  for (const pod of rollout.pods.values()) {
    const images = Object.values(pod.images()).filter((each) => each.startsWith('mesh:'));
    expect(images.filter((each) => each !== 'mesh:empty')).toEqual([image]);
    expect(pod.owners.get('mesh')).toBe(pod.pointer());
    expect(pod.isReady()).toBe(true);
  }
  expect(rollout.decision.status).toMatchObject({ upgradingPods: 0, failedPods: 0 });
  expect(rollout.condition('Degraded')).toBe('False NoFailures');
}

describe('a failed pod whose revision was edited away', () => {
  test.each(BAR_NAMES)('goes back to its old container by the failure policy, and the rollout rests: %s', (name) => {
    const rollout = bar(failing({ failurePolicy: {} }).image({ mesh: 'mesh:v3' }), name).run();
    expectHealthy(rollout, 'mesh:v1');
    for (const pod of rollout.pods.values()) expect(pod.restartsOf('mesh-1')).toBe(0);
    expect(rollout.condition('Progressing')).toBe(`False ${name.split(' ')[0]}`);
  });

  test('goes back when the rollout is asked to stop, without any failure policy', () => {
    const rollout = bar(failing({}).image({ mesh: 'mesh:v3' }), 'AbortRequested').run();
    expectHealthy(rollout, 'mesh:v1');
    expect(rollout.condition('Paused')).toBe('True AbortRequested');
  });

  test('and may be begun with the next one: it goes back first, and gets the next one in its turn', () => {
    const rollout = failing({ failurePolicy: {} }).image({ mesh: 'mesh:v3' }).run();
    expectHealthy(rollout, 'mesh:v3');
    expect(rollout.mostOpen).toBe(1);
    expect(rollout.decision.status.failedRevision).toBeUndefined();
  });

  test('fails by its deadline, too, although that revision is not wanted any more', () => {
    const rollout = failing({ failurePolicy: {}, progressDeadlineSeconds: 60 }, 'mesh:slow').image({ mesh: 'mesh:v3' });
    expectHealthy(bar(rollout, 'Paused').run(), 'mesh:v1');
  });

  test.each(NOT_ASKED_TO_STOP)(
    'stays as it is without a failure policy, and the status says which and why: %s',
    (name) => {
      const rollout = bar(failing({}).image({ mesh: 'mesh:v3' }), name).run();
      expect(rollout.decision.status).toMatchObject({ upgradingPods: 1, failedPods: 1 });
      expect(rollout.condition('Degraded')).toBe('True PodsFailed');
      const conditions = rollout.decision.status.conditions ?? [];
      expect(conditions.find(({ type }) => type === 'Degraded')?.message).toMatch(
        /1 pod failed to upgrade: shop\/pod-\d: .*container mesh-2 with image mesh:crash is in CrashLoopBackOff/,
      );
      // Nothing but the failed pod itself is in the way where all others are left as they are for good.
      const reason = name === 'NotUpgradablePods' || name.endsWith('selector') ? 'CrashLoop' : name;
      expect(rollout.condition('Progressing')).toBe(`False ${reason}`);
      expect(conditions.find(({ type }) => type === 'Progressing')?.message).toContain('1 under way, 1 failed');
    },
  );

  test('does not make the wanted revision fail by the failure policy', () => {
    const rollout = failing({ failurePolicy: { podAction: 'Keep' } }).image({ mesh: 'mesh:v3' });
    expect(rollout.look().status).toMatchObject({ failedPods: 1 });
    expect(rollout.decision.status.failedRevision).toBeUndefined();
    expectHealthy(rollout.work().kubelets().run(), 'mesh:v3');
  });

  test('with a plain sidecar is told as failed, with what is wrong beside what bars it', () => {
    const rollout = new SimulatedRollout(coldSet(), 3).wait(3600).image({ log: 'log:crash' });
    rollout.look();
    rollout.work().kubelets().image({ log: 'log:v3' }).strategy({ paused: true }).run();
    expect(rollout.decision.status).toMatchObject({ failedPods: 1 });
    expect(rollout.condition('Progressing')).toBe('False Paused');
    const degraded = rollout.decision.status.conditions?.find(({ type }) => type === 'Degraded');
    expect(degraded?.message).toMatch(/paused is set; container log with image log:crash is in CrashLoopBackOff/);
  });
});

describe('images went back together with an edit that no running pod can take on', () => {
  test('the failed pod goes back, and is not taken for one that runs the edited spec', () => {
    const rollout = failing({ failurePolicy: {} }).image({ mesh: 'mesh:v1' }).edit(withEnv).run();
    expectHealthy(rollout, 'mesh:v1');
    expect(rollout.decision.status.updatedPods).toBe(0);
    expect(rollout.condition('Progressing')).toBe('False NotUpgradablePods');
  });

  test('nor without our own record of the attempt', () => {
    const rollout = failing({ failurePolicy: {} });
    for (const pod of rollout.pods.values()) {
      const { [SIDESTEP.upgrade]: _, ...annotations } = pod.pod.metadata.annotations ?? {};
      pod.pod.metadata = { ...pod.pod.metadata, annotations };
    }
    rollout.image({ mesh: 'mesh:v1' }).edit(withEnv).run();
    expect(rollout.on('mesh:v1')).toBe(3);
    expect(rollout.decision.status).toMatchObject({ updatedPods: 0, upgradingPods: 0 });
  });
});

const moments = fc.record({
  image: fc.constantFrom('mesh:crash', 'mesh:nopull', 'mesh:hookfails', 'mesh:unready', 'mesh:slow'),
  next: fc.constantFrom('mesh:v3', 'mesh:crash-3', 'mesh:v1'),
  first: fc.constantFrom(...BAR_NAMES, 'none'),
  second: fc.constantFrom(...BAR_NAMES, 'none'),
  isBarredFirst: fc.boolean(),
  isSeen: fc.boolean(),
  maxUnavailable: fc.integer({ min: 1, max: 3 }),
  seconds: fc.integer({ min: 0, max: 120 }),
  isReplaced: fc.boolean(),
});

test('failed, superseded and barred in any order: under a failure policy every pod comes to rest on one good container', () => {
  fc.assert(
    fc.property(
      moments,
      ({ image, next, first, second, isBarredFirst, isSeen, maxUnavailable, seconds, isReplaced }) => {
        const strategy = { failurePolicy: { maxFailures: 3 }, progressDeadlineSeconds: 60, maxUnavailable };
        const rollout = failing(strategy, image);
        if (isBarredFirst) bar(rollout, first);
        if (isSeen) rollout.look();
        rollout.wait(seconds).image({ mesh: next });
        if (!isBarredFirst) bar(rollout, first);
        bar(rollout, second);
        if (isReplaced) rollout.replacePlanner();
        rollout.run();
        expect(rollout.decision.status.upgradingPods).toBe(0);
        for (const pod of rollout.pods.values()) {
          expect(pod.isReady()).toBe(true);
          expect(pod.running(pod.pointer())).toMatch(/^mesh:v[13]$/);
          expect(Object.values(pod.images())).toContain('mesh:empty');
          expect(pod.owners.get('mesh')).toBe(pod.pointer());
        }
      },
    ),
    { numRuns: 60 },
  );
});
