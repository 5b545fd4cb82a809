/** Pods that no counter of OpenKruise's has, and that are not done all the same. */
import { describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import type { SimulatedPod } from '../../testing/simulated-pod.js';
import { SimulatedRollout } from '../../testing/simulated-rollout.js';
import { KRUISE } from '../api/keys.js';
import type { Pod } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { upgradeTarget } from '../pod-upgrade/upgrade-target.js';
import { summarizePod } from './pod-summary.js';

type Strategy = SidecarSet['spec']['updateStrategy'];

/** The first of three pods is half way to the image. */
function halfWay(image = 'mesh:v2', strategy: Strategy = {}): { rollout: SimulatedRollout; pod: SimulatedPod } {
  const rollout = new SimulatedRollout(hotSet('mesh:v1', strategy), 3).wait(3600).image({ mesh: image });
  rollout.look();
  rollout.work();
  const pod = [...rollout.pods.values()].find((each) => Object.values(each.images()).includes(image));
  if (pod === undefined) throw new Error('no pod was begun');
  return { rollout, pod };
}

const change = (pod: SimulatedPod, metadata: Partial<Pod['metadata']>): void => {
  pod.pod = { ...pod.pod, metadata: { ...pod.pod.metadata, ...metadata, resourceVersion: `changed-${pod.now}` } };
};

const choosing = (labels: Record<string, string>) => (set: SidecarSet) => ({
  ...set,
  spec: { ...set.spec, selector: { matchLabels: labels } },
});

const nameOf = (pod: SimulatedPod): string => `shop/${pod.pod.metadata.name}`;

const liveSidecars = (pod: SimulatedPod): string[] =>
  Object.values(pod.images()).filter((image) => image.startsWith('mesh:') && image !== 'mesh:empty');

const progressing = (rollout: SimulatedRollout) =>
  rollout.decision.status.conditions?.find(({ type }) => type === 'Progressing');

describe('a pod half way that the selectors choose no more', () => {
  const WAYS: Record<string, (rollout: SimulatedRollout, pod: SimulatedPod) => void> = {
    'the selector was edited': (rollout) => rollout.edit(choosing({ app: 'other' })),
    'the pod was relabelled': (_, pod) => change(pod, { labels: { app: 'quarantined' } }),
  };

  test.each(Object.keys(WAYS))(
    'is counted, named, and brought to its end by a planner that knows nothing: %s',
    (way) => {
      const { rollout, pod } = halfWay();
      WAYS[way]?.(rollout, pod);
      rollout.replacePlanner().look();
      expect(rollout.decision.status).toMatchObject({ upgradingPods: 1 });
      expect(progressing(rollout)).toMatchObject({
        status: 'True',
        message: expect.stringContaining(`1 of them not selected any more: ${nameOf(pod)}`),
      });
      rollout.kubelets().look();
      expect(rollout.decision.jobs).toContainEqual(
        expect.objectContaining({ pod: pod.pod.metadata.name, phase: 'reset' }),
      );
      rollout.work().kubelets().run();
      expect(liveSidecars(pod)).toEqual(['mesh:v2']);
      expect(rollout.decision.status.upgradingPods).toBe(0);
    },
  );

  test('is not begun with a revision that is wanted since, nor is one that was not begun', () => {
    const { rollout, pod } = halfWay();
    const idle = [...rollout.pods.values()].filter((each) => each !== pod);
    rollout
      .edit(choosing({ app: 'other' }))
      .image({ mesh: 'mesh:v3' })
      .run();
    expect(liveSidecars(pod)).toEqual(['mesh:v2']);
    for (const each of idle) expect(liveSidecars(each)).toEqual(['mesh:v1']);
    expect(progressing(rollout)).toMatchObject({ status: 'False', reason: 'NoMatchingPods' });
  });

  test('holds up none of the pods that are chosen', () => {
    const { rollout, pod } = halfWay('mesh:slow', { maxUnavailable: 1 });
    change(pod, { labels: { app: 'quarantined' } });
    rollout.look();
    expect(rollout.decision.jobs).toContainEqual(expect.objectContaining({ phase: 'upgrade' }));
  });

  test('goes back by the failure policy when it fails', () => {
    const { rollout, pod } = halfWay('mesh:crash', { failurePolicy: { maxFailures: 3 } });
    rollout
      .kubelets()
      .edit(choosing({ app: 'other' }))
      .run();
    expect(liveSidecars(pod)).toEqual(['mesh:v1']);
  });

  test('and fails without a failure policy is told, not taken for complete', () => {
    const { rollout, pod } = halfWay('mesh:crash');
    rollout
      .kubelets()
      .edit(choosing({ app: 'other' }))
      .run();
    expect(rollout.decision.status).toMatchObject({ upgradingPods: 1, failedPods: 1, matchedPods: 0 });
    expect(rollout.condition('Progressing')).toBe('False CrashLoop');
    const degraded = rollout.decision.status.conditions?.find(({ type }) => type === 'Degraded');
    expect(degraded).toMatchObject({ status: 'True', message: expect.stringContaining(nameOf(pod)) });
  });

  test('because of the labels of its namespace: is apart, and begun with nothing', () => {
    const { rollout, pod } = halfWay();
    const namespaceSelector = { matchLabels: { mesh: 'yes' } };
    const sidecarSet = { ...rollout.set, spec: { ...rollout.set.spec, namespaceSelector } };
    const target = upgradeTarget(sidecarSet);
    const labelsOf = (labels: Record<string, string>) => ({
      target,
      specHash: target.hash,
      namespaceLabels: () => labels,
    });
    expect(summarizePod(labelsOf({}), pod.pod, pod.clock)).toMatchObject({
      matched: false,
      apart: true,
      inFlight: true,
    });
    expect(summarizePod(labelsOf({ mesh: 'yes' }), pod.pod, pod.clock)).toMatchObject({ matched: true, apart: false });
    const idle = [...rollout.pods.values()].find((each) => each !== pod)?.pod as Pod;
    expect(summarizePod(labelsOf({ mesh: 'yes' }), idle, pod.clock)).toMatchObject({ due: 'upgrade', candidate: true });
    expect(summarizePod(labelsOf({}), idle, pod.clock)).toMatchObject({
      apart: false,
      due: 'none',
      candidate: false,
      reason: 'NotSelected',
    });
  });
});

describe('a pod that cannot be managed', () => {
  const losePointer = (pod: SimulatedPod): void =>
    change(pod, { annotations: { ...pod.pod.metadata.annotations, [KRUISE.workingHotContainer]: '{}' } });

  test('because its working pointer was lost half way: is told once nothing else is under way', () => {
    const { rollout, pod } = halfWay();
    losePointer(pod);
    rollout.run();
    expect(rollout.decision.status).toMatchObject({ matchedPods: 2, updatedPods: 2 });
    expect(progressing(rollout)).toMatchObject({
      status: 'False',
      reason: 'WorkingPointerMissing',
      message: expect.stringContaining(`1 pod cannot be managed: ${nameOf(pod)} (annotation`),
    });
    expect(rollout.decision.blocked).toContainEqual(
      expect.objectContaining({ reason: 'WorkingPointerMissing', count: 1 }),
    );
  });

  test('because it lacks a container: is told, but where NotUpdate leaves pods as they are', () => {
    const { rollout, pod } = halfWay();
    pod.pod = { ...pod.pod, spec: { containers: pod.pod.spec.containers.filter(({ name }) => name !== 'mesh-1') } };
    change(pod, {});
    rollout.run();
    expect(rollout.condition('Progressing')).toBe('False HotContainerMissing');
    rollout.strategy({ type: 'NotUpdate' }).run();
    expect(rollout.condition('Progressing')).not.toBe('False HotContainerMissing');
  });

  test.each([
    ['BothContainersEmpty', { 'mesh-1': 'mesh:empty', 'mesh-2': 'mesh:empty' }],
    ['WorkingContainerEmpty', { 'mesh-1': 'mesh:empty', 'mesh-2': 'mesh:v1' }],
  ])('because of %s: is not taken for one that is done, though it carries the wanted revision', (reason, images) => {
    const rollout = new SimulatedRollout(hotSet('mesh:v1'), 2).wait(3600);
    const pod = rollout.pods.get('pod-0') as SimulatedPod;
    const wanted = images as Record<string, string>;
    const containers = pod.pod.spec.containers.map((one) => ({ ...one, image: wanted[one.name] ?? one.image ?? '' }));
    pod.pod = { ...pod.pod, spec: { containers } };
    rollout.kubelets().run();
    expect(rollout.condition('Progressing')).toBe(`False ${reason}`);
  });
});
