import { describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import type { UpdateStrategy } from '../api/sidecarset.js';

/** Pods of which those named are not ready, with another image wanted. */
const rolloutWith = (unready: readonly string[], strategy: UpdateStrategy = {}, count = 3): SimulatedRollout => {
  const rollout = new SimulatedRollout(hotSet('mesh:v1', strategy), count);
  for (const name of unready) setReady(rollout, name, false);
  rollout.image({ mesh: 'mesh:v2' }).look();
  return rollout;
};

const setReady = (rollout: SimulatedRollout, name: string, ready: boolean): void => {
  const pod = rollout.pods.get(name);
  if (ready) pod?.unready.delete('app');
  else pod?.unready.add('app');
  pod?.report();
};

/** Begins asked for by the last look, as `pod` or, of a pod picked for nothing, `pod free`. */
const begins = (rollout: SimulatedRollout): string[] =>
  rollout.decision.jobs
    .filter(({ phase }) => phase === 'upgrade')
    .map(({ pod, pickedUnready }) => (pickedUnready === true ? `${pod} free` : pod));

const beginsAfter = (rollout: SimulatedRollout): string[] => {
  rollout.look();
  return begins(rollout);
};

describe('a pod that is not ready', () => {
  test('is picked for nothing beside as many ready ones as maxUnavailable allows, and its job says so', () => {
    expect(begins(rolloutWith(['pod-2']))).toEqual(['pod-2 free', 'pod-0']);
  });

  test('that becomes ready before it is begun waits, in its place, until maxUnavailable has room for it', () => {
    const rollout = rolloutWith(['pod-2']);
    const job = rollout.decision.jobs.find(({ pod }) => pod === 'pod-0');
    setReady(rollout, 'pod-2', true);
    expect(beginsAfter(rollout)).toEqual([]);
    rollout.work(job === undefined ? [] : [job]).kubelets();
    rollout.look();
    rollout.work().kubelets();
    expect(beginsAfter(rollout)).toEqual(['pod-2']);
  });

  test('that becomes ready is asked for anew, and paid for, while there is room', () => {
    const one = rolloutWith(['pod-0'], { maxUnavailable: 1 }, 1);
    expect(begins(one)).toEqual(['pod-0 free']);
    setReady(one, 'pod-0', true);
    expect(beginsAfter(one)).toEqual(['pod-0']);
    expect(beginsAfter(one)).toEqual([]);
  });

  test('is asked for again with every news of it: it may have been ready in between, which ended its job', () => {
    const rollout = rolloutWith(['pod-2']);
    expect(beginsAfter(rollout)).toEqual([]);
    rollout.pods.get('pod-2')?.report();
    expect(beginsAfter(rollout)).toEqual(['pod-2 free']);
  });

  test('and became ready and unready again is asked for once more for nothing', () => {
    const rollout = rolloutWith(['pod-2']);
    setReady(rollout, 'pod-2', true);
    expect(beginsAfter(rollout)).toEqual([]);
    setReady(rollout, 'pod-2', false);
    expect(beginsAfter(rollout)).toEqual(['pod-2 free']);
  });

  test('keeps its place under a partition while it waits to be paid for, so that no other one is begun beside it', () => {
    const rollout = rolloutWith(['pod-2'], { maxUnavailable: 0, partition: 2 });
    expect(begins(rollout)).toEqual(['pod-2 free']);
    setReady(rollout, 'pod-2', true);
    setReady(rollout, 'pod-1', false);
    expect(beginsAfter(rollout)).toEqual([]);
    expect(rollout.condition('Progressing')).toBe('False MaxUnavailableZero');
  });

  test('is asked for on the terms of now when the queue has lost everything', () => {
    const rollout = rolloutWith(['pod-2']);
    const again = (): string[] => {
      rollout.decision = rollout.ledger.decide(rollout.clock, { resync: true });
      return begins(rollout);
    };
    expect(again().sort()).toEqual(['pod-0', 'pod-2 free']);
    setReady(rollout, 'pod-2', true);
    rollout.look();
    expect(again()).toEqual(['pod-0']);
  });
});

test('a pod that turns unready after maxUnavailable was spent on it gives nothing back: its job would begin it ready, too', () => {
  const rollout = rolloutWith([]);
  expect(begins(rollout)).toEqual(['pod-0']);
  setReady(rollout, 'pod-0', false);
  expect(beginsAfter(rollout)).toEqual([]);
  setReady(rollout, 'pod-0', true);
  expect(beginsAfter(rollout)).toEqual([]);
});

test('a pod whose begin was held back and let go again is asked for again', () => {
  const rollout = rolloutWith(['pod-2']);
  rollout.decision = rollout.ledger.decide(rollout.clock, { queueAvailable: false });
  expect(begins(rollout)).toEqual([]);
  expect(beginsAfter(rollout)).toEqual(['pod-2 free', 'pod-0']);
});

test('a pod that is given another image while the one before is still being reset is picked for nothing, and waits once it is ready', () => {
  const names = ['pod-0', 'pod-1', 'pod-2'];
  const rollout = new SimulatedRollout(hotSet('mesh:v1'), names.length);
  for (const pod of rollout.pods.values()) {
    pod.unready.add('mesh-1');
    pod.report();
  }
  rollout.image({ mesh: 'mesh:v2' }).look();
  rollout.work().kubelets();
  rollout.look();
  rollout.work();
  rollout.image({ mesh: 'mesh:v3' });
  expect(beginsAfter(rollout)).toEqual(['pod-0 free', 'pod-1 free', 'pod-2 free']);
  const late = rollout.decision.jobs;
  for (const pod of rollout.pods.values()) pod.unready.delete('mesh-1');
  rollout.kubelets();
  rollout.mostOpen = 0;
  rollout.work(late);
  expect(rollout.mostOpen).toBe(0);
  expect(beginsAfter(rollout)).toEqual(['pod-0']);
  rollout.work().kubelets();
  rollout.run();
  expect(rollout.mostOpen).toBe(1);
  expect(rollout.condition('Progressing')).toBe('False RolloutComplete');
});
