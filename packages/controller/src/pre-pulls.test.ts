import { beforeEach, describe, expect, test } from '@jest/globals';
import { type FullPod, pullRequestOf, type SidecarSet } from '@sidestep/core';
import { aPod, aSidecarSet, withImage, withStrategy } from './testing/objects.js';
import { World } from './testing/world.js';

const CREATED = new Date('2026-01-01T00:00:00Z');

let world: World;

const pulls = (): FullPod[] => [...world.cluster.pods.values()].filter((pod) => pullRequestOf(pod) !== undefined);

/** What a kubelet makes of the pull pods on a node. */
const kubelet = (node: string, state: object): void => {
  for (const pod of pulls()) {
    if (pod.spec.nodeName !== node) continue;
    const containerStatuses = [{ name: 'pull', state }];
    world.cluster.putPod({ ...pod, status: { phase: 'Pending', containerStatuses } });
  }
};

const onNode = (pod: FullPod, nodeName: string): FullPod => ({ ...pod, spec: { ...pod.spec, nodeName } });

beforeEach(async () => {
  world = new World();
  const v1 = aSidecarSet('mesh:v1', { updateStrategy: { prePull: true, maxUnavailable: '100%' } });
  world.cluster.put(world.cluster.sidecarSets, v1);
  for (const [name, node] of [
    ['web-0', 'node-1'],
    ['web-1', 'node-1'],
    ['web-2', 'node-2'],
  ] as const) {
    world.cluster.putPod(onNode(aPod(name, [v1], CREATED), node));
  }
  await world.settle();
  world.cluster.writes.length = 0;
  const stored = world.cluster.sidecarSets.get('mesh-set');
  if (stored !== undefined) world.cluster.put(world.cluster.sidecarSets, withImage(stored, 'mesh:v2'));
  await world.settle();
});

const pulledImages = (): (string | undefined)[] => [...new Set(pulls().map((pod) => pullRequestOf(pod)?.image))].sort();

const progressing = (): string | undefined =>
  world.cluster.sidecarSets.get('mesh-set')?.status?.conditions?.find(({ type }) => type === 'Progressing')?.reason;

describe('bringing images to the nodes before pods are begun', () => {
  test('asks for each image once per node, and begins no pod meanwhile', () => {
    const asked = world.cluster.writes.filter((write) => write.startsWith('create pod')).sort();
    expect(asked).toEqual([
      'create pod for empty:v1 on node-1',
      'create pod for empty:v1 on node-2',
      'create pod for mesh:v2 on node-1',
      'create pod for mesh:v2 on node-2',
    ]);
    expect(world.jobs.take()).toEqual([]);
    expect(progressing()).toBe('PrePulling');
  });

  test('begins pods once every node has the images, and removes the pods that pulled', async () => {
    kubelet('node-1', { terminated: { exitCode: 0 } });
    await world.settle();
    expect(world.jobs.take()).toEqual([]);
    kubelet('node-2', { waiting: { reason: 'RunContainerError' } });
    await world.settle();
    expect(world.jobs.take().sort()).toEqual(['upgrade web-0', 'upgrade web-1', 'upgrade web-2']);
    expect(pulls()).toEqual([]);
  });

  test('leaves out the pods of a node that cannot get the image, and takes the others', async () => {
    kubelet('node-1', { terminated: { exitCode: 0 } });
    kubelet('node-2', { waiting: { reason: 'ImagePullBackOff' } });
    await world.settle();
    expect(world.jobs.take().sort()).toEqual(['upgrade web-0', 'upgrade web-1']);
    expect(pulls()).toHaveLength(2);
  });

  test('takes the pods of such a node as soon as the kubelet got the image after all', async () => {
    kubelet('node-1', { terminated: { exitCode: 0 } });
    kubelet('node-2', { waiting: { reason: 'ImagePullBackOff' } });
    await world.settle();
    world.jobs.take();
    kubelet('node-2', { terminated: { exitCode: 0 } });
    await world.settle();
    expect(world.jobs.take()).toEqual(['upgrade web-2']);
  });

  test('asks again for what was lost on the way', async () => {
    for (const pod of pulls()) world.cluster.pods.delete(`kruise-system/${pod.metadata.name}`);
    await world.settle();
    expect(pulls()).toEqual([]);
    world.later(31_000);
    world.planner.reconcileAll();
    await world.settle();
    expect(pulls()).toHaveLength(4);
  });

  test('tells in the status why pods that pull may not be created, asks rarely, and goes on once they may', async () => {
    const quota = 'pods "sidestep-pull" is forbidden: exceeded quota';
    const stored = (): SidecarSet => world.cluster.sidecarSets.get('mesh-set')!;
    const refusals = (): number => world.cluster.writes.filter((write) => write.startsWith('refused pod')).length;
    world.cluster.refusePods = quota;
    world.cluster.put(world.cluster.sidecarSets, withImage(stored(), 'mesh:v3'));
    await world.settle();
    world.later(1_000);
    world.planner.reconcileAll();
    await world.settle();
    expect(stored().status?.conditions?.find(({ type }) => type === 'Progressing')?.message).toContain(quota);
    world.planner.reconcileAll();
    await world.settle();
    expect(refusals()).toBe(1);
    world.cluster.refusePods = undefined;
    world.later(31_000);
    world.planner.reconcileAll();
    await world.settle();
    expect(pulledImages()).toContain('mesh:v3');
    expect(stored().status?.conditions?.find(({ type }) => type === 'Progressing')?.message).not.toContain(quota);
  });

  test('is taken up by the next planner from the pods that pull', async () => {
    kubelet('node-1', { terminated: { exitCode: 0 } });
    kubelet('node-2', { terminated: { exitCode: 0 } });
    world.startPlanner(2);
    world.planner.reconcileAll();
    await world.settle();
    expect(world.jobs.take()).toHaveLength(3);
  });

  test('ends with the SidecarSet: no kubelet goes on trying for one that is gone', async () => {
    kubelet('node-2', { waiting: { reason: 'ImagePullBackOff' } });
    await world.settle();
    world.cluster.sidecarSets.delete('mesh-set');
    await world.settle();
    expect(pulls()).toEqual([]);
  });

  test('ends also when the SidecarSet went while no planner was there to see it', async () => {
    world.cluster.sidecarSets.delete('mesh-set');
    world.cache.sidecarSets.delete('mesh-set');
    world.startPlanner(2);
    world.planner.reconcileAll();
    await world.settle();
    expect(pulls()).toEqual([]);
  });

  test('ends also where a pod is seen only after the SidecarSet went', async () => {
    const late = pulls()[0]!;
    for (const pod of pulls()) world.cluster.pods.delete(`kruise-system/${pod.metadata.name}`);
    world.cluster.sidecarSets.delete('mesh-set');
    await world.settle();
    world.cluster.putPod(late);
    await world.settle();
    expect(pulls()).toEqual([]);
  });

  test('turns to the image of the day, and asks for a former one afresh when that comes back', async () => {
    const stored = () => world.cluster.sidecarSets.get('mesh-set')!;
    kubelet('node-2', { waiting: { reason: 'ImagePullBackOff' } });
    await world.settle();
    world.cluster.put(world.cluster.sidecarSets, withImage(stored(), 'mesh:v3'));
    await world.settle();
    expect(pulledImages()).toEqual(['empty:v1', 'mesh:v3']);
    world.cluster.put(world.cluster.sidecarSets, withImage(stored(), 'mesh:v2'));
    await world.settle();
    expect(pulledImages()).toEqual(['empty:v1', 'mesh:v2']);
  });

  test('ends when the SidecarSet wants it no more', async () => {
    const stored = world.cluster.sidecarSets.get('mesh-set')!;
    world.cluster.put(world.cluster.sidecarSets, withStrategy(stored, { prePull: false }));
    await world.settle();
    expect(pulls()).toEqual([]);
    expect(world.jobs.take()).toHaveLength(3);
  });
});
