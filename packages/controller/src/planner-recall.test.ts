import { expect, test } from '@jest/globals';
import { decidePodUpgrade, RECALL_MS, type SidecarSet, upgradeTarget } from '@sidestep/core';
import { aPod, aSidecarSet, withImage, withStrategy } from './testing/objects.js';
import { World } from './testing/world.js';

const CREATED = new Date('2026-01-01T00:00:00Z');

/** A world in which one of three pods was just asked to be begun. */
const inARollout = async (): Promise<World> => {
  const world = new World();
  const v1 = aSidecarSet('mesh:v1', { updateStrategy: { maxUnavailable: 1 } });
  world.cluster.put(world.cluster.sidecarSets, v1);
  for (const name of ['web-0', 'web-1', 'web-2']) world.cluster.putPod(aPod(name, [v1], CREATED));
  await world.settle();
  edit(world, (stored) => withImage(stored, 'mesh:v2'));
  await world.settle();
  return world;
};

const edit = (world: World, change: (stored: SidecarSet) => SidecarSet): void => {
  const stored = world.cluster.sidecarSets.get('mesh-set') as SidecarSet;
  world.cluster.put(world.cluster.sidecarSets, change(stored));
};

test('an edit recalls begins, and others are asked for only once none of them can run any more', async () => {
  const world = await inARollout();
  expect(world.jobs.asked.splice(0).map(({ job }) => job.generation)).toEqual([2]);
  edit(world, (stored) => withStrategy(stored, { maxUnavailable: 2 }));
  await world.settle();
  expect(world.jobs.take()).toEqual([]);
  world.later(RECALL_MS);
  world.planner.reconcileAll();
  await world.settle();
  expect(world.jobs.asked.map(({ job }) => job.generation)).toEqual([3, 3]);
});

test('an edit asks for pods at once when the begin of before was seen to be done', async () => {
  const world = await inARollout();
  const [begun] = world.jobs.asked.splice(0);
  const target = upgradeTarget(world.cluster.sidecarSets.get('mesh-set') as SidecarSet);
  const pod = world.cluster.pod(begun?.job.pod ?? '');
  const { patch = [] } = decidePodUpgrade({ target, pod, now: world.now });
  await world.cluster.patchPod(pod, patch);
  await world.settle();
  world.jobs.take();
  edit(world, (stored) => withStrategy(stored, { maxUnavailable: 3 }));
  await world.settle();
  expect(world.jobs.take().filter((asked) => asked.startsWith('upgrade'))).toHaveLength(2);
});

test('a pause recalls begins, and going on asks for them again', async () => {
  const world = await inARollout();
  world.jobs.take();
  edit(world, (stored) => withStrategy(stored, { paused: true }));
  await world.settle();
  world.later(RECALL_MS);
  edit(world, (stored) => withStrategy(stored, { paused: false }));
  await world.settle();
  expect(world.jobs.take().map((asked) => asked.split(' ')[0])).toEqual(['upgrade']);
});
