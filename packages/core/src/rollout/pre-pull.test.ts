import { describe, expect, test } from '@jest/globals';
import { hotSet, storedSet } from '../../testing/sidecarsets.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import { upgradeTarget } from '../pod-upgrade/upgrade-target.js';
import { PrePull } from './pre-pull.js';
import type { PodSummary } from './types.js';

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

  test.each([
    ['the last node', 1, 'False PrePullFailed'],
    ['one node of several', 3, 'False PrePulling'],
  ])('the condition says why %s could not even be asked', (_, pods, condition) => {
    const rollout = new SimulatedRollout(set, pods).image({ mesh: 'mesh:v2' });
    for (const [i, pod] of [...rollout.pods.values()].entries()) pod.pod.spec.nodeName = `node-${i}`;
    const [first] = rollout.kubelets().look().prePull;
    rollout.ledger.setNodeImage(first!.node, first!.image, 'failed', 'exceeded quota');
    const { status } = rollout.look();
    expect(rollout.condition('Progressing')).toBe(condition);
    expect(status.conditions?.find(({ type }) => type === 'Progressing')?.message).toContain(': exceeded quota');
  });

  test('what is known of nodes and images is forgotten once no candidate needs it: a node may come again under its name', () => {
    const rollout = new SimulatedRollout(set, 1).image({ mesh: 'mesh:v2' });
    const has = (node: string, image: string) => rollout.ledger.setNodeImage(node, image, 'present');
    const asked = () => rollout.ledger.decide(rollout.clock).prePull.map(({ image }) => image);
    for (const { node, image } of rollout.look().prePull) has(node, image);
    expect(asked()).toEqual([]);
    rollout.removePod('pod-0');
    rollout.look();
    rollout.strategy({ partition: '100%', prePull: true }).image({ mesh: 'mesh:v1' }).look();
    rollout.addPod('pod-9');
    rollout.image({ mesh: 'mesh:v2' }).kubelets().look();
    expect(asked()).toContain('mesh:v2');
  });

  test('nodes that come and go leave nothing behind', () => {
    const book = new PrePull();
    const target = upgradeTarget(storedSet(hotSet('mesh:v2'), 1));
    for (let i = 0; i < 1_000; i += 1) {
      const pod = { node: `node-${i}` } as PodSummary;
      book.count(pod, 1);
      for (const image of ['mesh:v1', 'mesh:v2']) book.setState(`node-${i}`, image, { state: 'present' });
      book.decide(target);
      expect(book.size).toBe(1);
      book.count(pod, -1);
    }
    book.decide(target);
    expect(book.size).toBe(0);
  });

  test('only so many nodes pull at a time', () => {
    const rollout = new SimulatedRollout(set, 30).image({ mesh: 'mesh:v2' });
    for (const [i, pod] of [...rollout.pods.values()].entries()) pod.pod.spec.nodeName = `node-${i}`;
    expect(rollout.kubelets().look().prePull).toHaveLength(10);
  });
});
