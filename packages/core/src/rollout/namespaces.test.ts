import { expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import { upgradeTarget } from '../pod-upgrade/upgrade-target.js';
import { summarizePod } from './pod-summary.js';

test.each(['shop', 'kube-public', 'kube-system'])(
  'an injected pod of namespace %s is counted and upgraded',
  (namespace) => {
    const rollout = new SimulatedRollout(hotSet(), 1);
    const pod = rollout.pods.get('pod-0')?.pod;
    if (pod === undefined) throw new Error('the rollout has no pod');
    rollout.image({ mesh: 'mesh:v2' });
    const target = upgradeTarget(rollout.set);
    const there = { ...pod, metadata: { ...pod.metadata, namespace } };
    expect(summarizePod({ target, specHash: target.hash }, there, rollout.clock)).toMatchObject({
      matched: true,
      candidate: true,
    });
  },
);
