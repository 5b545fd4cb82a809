import { beforeEach, describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import { BEGUN_AT_ONCE, MORE_AFTER_MS } from './job-outbox.js';

const PODS = 2 * BEGUN_AT_ONCE + 50;

let rollout: SimulatedRollout;
const begun = (): string[] => rollout.decision.jobs.filter(({ phase }) => phase === 'upgrade').map(({ pod }) => pod);

beforeEach(() => {
  rollout = new SimulatedRollout(hotSet('mesh:v1', { maxUnavailable: '100%' }), PODS);
  rollout.image({ mesh: 'mesh:v2' }).look();
});

describe('a rollout that begins more pods than are asked for at once', () => {
  test('asks for each of them once, in several looks that follow soon', () => {
    const asked = begun();
    expect(asked).toHaveLength(BEGUN_AT_ONCE);
    while (rollout.decision.requeueAfterMs === MORE_AFTER_MS) {
      rollout.look();
      asked.push(...begun());
    }
    expect(asked).toHaveLength(PODS);
    expect(new Set(asked).size).toBe(PODS);
    expect(rollout.look().jobs).toEqual([]);
  });

  test('asks for a reset that has become due before it asks for the next of them', () => {
    const [first] = rollout.decision.jobs;
    rollout.work(first === undefined ? [] : [first]);
    rollout.pods.get(first?.pod ?? '')?.kubelet();
    const { jobs } = rollout.look();
    expect(jobs[0]).toMatchObject({ phase: 'reset', pod: first?.pod });
    expect(begun()).toHaveLength(BEGUN_AT_ONCE);
  });

  test('asks for none of the rest once it is paused', () => {
    rollout.strategy({ maxUnavailable: '100%', paused: true }).look();
    expect(rollout.decision.jobs).toEqual([]);
    expect(rollout.decision.requeueAfterMs).not.toBe(MORE_AFTER_MS);
  });

  test('asks for those that were not asked for yet after a resync as well', () => {
    const asked = new Set<string>();
    rollout.decision = rollout.ledger.decide(rollout.clock, { resync: true });
    for (const pod of begun()) asked.add(pod);
    while (rollout.decision.requeueAfterMs === MORE_AFTER_MS) {
      rollout.look();
      for (const pod of begun()) asked.add(pod);
    }
    expect(asked.size).toBe(PODS);
  });
});
