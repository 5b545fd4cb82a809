import { beforeEach, describe, expect, test } from '@jest/globals';
import { type FullPod, KRUISE, type SidecarSet, type SidecarSetStatus } from '@sidestep/core';
import { PhaseRunner } from './phase-runner.js';
import { TargetSource } from './target-source.js';
import { acknowledged, aPod, aSidecarSet, withImage } from './testing/objects.js';
import { hastyClock, World } from './testing/world.js';

const CREATED = new Date('2026-01-01T00:00:00Z');

let world: World;
let v1: SidecarSet;

const statusOf = (name = 'mesh-set'): SidecarSetStatus | undefined => world.cluster.sidecarSets.get(name)?.status;

const conditionOf = (type: string, name = 'mesh-set'): string | undefined => {
  const condition = statusOf(name)?.conditions?.find((one) => one.type === type);
  return condition && `${condition.status} ${condition.reason}`;
};

const setUp = async (pods: number, spec: Partial<SidecarSet['spec']> = {}): Promise<void> => {
  world = new World();
  v1 = aSidecarSet('mesh:v1', spec);
  world.cluster.put(world.cluster.sidecarSets, v1);
  for (let index = 0; index < pods; index += 1) world.cluster.putPod(aPod(`web-${index}`, [v1], CREATED));
  await world.settle();
};

const edit = (change: (sidecarSet: SidecarSet) => SidecarSet): SidecarSet => {
  const stored = world.cluster.sidecarSets.get('mesh-set');
  if (stored === undefined) throw new Error('no SidecarSet');
  return world.cluster.put(world.cluster.sidecarSets, change(stored));
};

/** Runs every job that was asked for, as workers do, and has the kubelet carry out what they wrote. */
const work = async (): Promise<string[]> => {
  const clock = hastyClock(() => world.now);
  const events = { onPod: () => undefined, onSidecarSet: () => undefined };
  const runner = new PhaseRunner({
    cluster: world.cluster,
    targets: new TargetSource(() => world.cluster, clock),
    events,
    clock,
  });
  const jobs = world.jobs.asked.splice(0);
  for (const { job } of jobs) {
    await runner.run(job, new AbortController().signal);
    world.later(1_000);
    world.change(job.pod, (pod) => acknowledged(pod, world.now));
  }
  return jobs.map(({ job }) => `${job.phase} ${job.pod}`);
};

beforeEach(() => setUp(3, { updateStrategy: { maxUnavailable: 1 } }));

describe('a SidecarSet that the planner sees for the first time', () => {
  test('gets a ControllerRevision and a status, each written once', () => {
    expect(world.cluster.writes.filter((write) => write === 'create revision 1')).toHaveLength(1);
    expect(statusOf()).toMatchObject({ matchedPods: 3, updatedPods: 3, readyPods: 3, observedGeneration: 1 });
    const [revision] = world.cluster.revisions.values();
    expect(statusOf()?.latestRevision).toBe(revision?.metadata.name);
    expect(conditionOf('Progressing')).toBe('False RolloutComplete');
  });

  test('causes no further write while nothing changes', async () => {
    world.cluster.writes.length = 0;
    for (let round = 0; round < 5; round += 1) {
      world.later(60_000);
      world.planner.reconcileAll();
      await world.settle();
    }
    expect(world.cluster.writes).toEqual([]);
  });
});

describe('a rollout', () => {
  test('writes the new revision into the status before it asks for any job, because workers stamp pods with it', async () => {
    edit((stored) => withImage(stored, 'mesh:v2'));
    world.watch();
    const order: string[] = [];
    const write = world.cluster.writeSidecarSetStatus.bind(world.cluster);
    world.cluster.writeSidecarSetStatus = async (set, status) => {
      order.push(`status with ${status.latestRevision === v2Name() ? 'the new' : 'the old'} revision`);
      return write(set, status);
    };
    const enqueue = world.jobs.enqueue.bind(world.jobs);
    world.jobs.enqueue = async (jobs, options) => {
      order.push(...jobs.map(({ phase }) => phase));
      return enqueue(jobs, options);
    };
    await world.reconcile();
    expect(order.slice(0, 2)).toEqual(['status with the new revision', 'upgrade']);
  });

  const v2Name = (): string | undefined => [...world.cluster.revisions.values()].at(-1)?.metadata.name;

  test('asks for as many pods as maxUnavailable allows, by keys and the epoch of its lease', async () => {
    edit((stored) => withImage(stored, 'mesh:v2'));
    await world.settle();
    expect(world.jobs.asked).toHaveLength(1);
    expect(world.jobs.asked[0]?.job).toMatchObject({
      namespace: 'shop',
      sidecarSet: 'mesh-set',
      phase: 'upgrade',
      epoch: 1,
    });
    expect(world.jobs.asked[0]?.job.revision).toBe(
      world.cluster.sidecarSets.get('mesh-set')?.metadata.annotations?.[KRUISE.hash],
    );
  });

  test('takes every pod through upgrade and reset, resets before it begins another, and ends', async () => {
    edit((stored) => withImage(stored, 'mesh:v2'));
    const ran: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      await world.settle();
      const jobs = await work();
      if (jobs.length === 0) break;
      ran.push(...jobs);
    }
    expect(ran.map((entry) => entry.split(' ')[0])).toEqual([
      'upgrade',
      'reset',
      'upgrade',
      'reset',
      'upgrade',
      'reset',
    ]);
    expect(statusOf()).toMatchObject({ updatedPods: 3, readyPods: 3, updatedReadyPods: 3, upgradingPods: 0 });
    expect(conditionOf('Progressing')).toBe('False RolloutComplete');
    expect(world.events).toContain('Normal mesh-set RollingOut');
    expect(world.events.filter((event) => event.endsWith('RolloutComplete'))).toHaveLength(1);
  });

  test('tells on the pod that its empty image cannot be pulled, which no worker looks at any more', async () => {
    edit((stored) => withImage(stored, 'mesh:v2'));
    await world.settle();
    const begun = (await work())[0]?.split(' ')[1] ?? '';
    await world.settle();
    expect(await work()).toEqual([`reset ${begun}`]);
    world.change(begun, (pod) => ({
      ...pod,
      status: { ...pod.status, containerStatuses: withoutImage(pod, 'mesh-1') },
    }));
    await world.settle();
    world.later(60_000);
    world.planner.reconcileAll();
    await world.settle();
    const told = world.events.filter((event) => event.includes(begun));
    expect(told).toEqual([`Warning ${begun} SidecarUpgradeFailed`]);
  });

  test('tells so of a pod that fails while the queue refuses the jobs of the same look', async () => {
    edit((stored) => withImage(stored, 'mesh:v2'));
    await world.settle();
    const begun = (await work())[0]?.split(' ')[1] ?? '';
    await world.settle();
    expect(await work()).toEqual([`reset ${begun}`]);
    edit((stored) => ({ ...stored, spec: { ...stored.spec, updateStrategy: { maxUnavailable: 2 } } }));
    const { enqueue } = world.jobs;
    world.jobs.enqueue = (jobs) => {
      world.jobs.enqueue = enqueue;
      world.jobs.available = false;
      world.change(begun, (pod) => ({
        ...pod,
        status: { ...pod.status, containerStatuses: withoutImage(pod, 'mesh-1') },
      }));
      world.watch();
      return world.jobs.enqueue(jobs);
    };
    await world.settle();
    expect(conditionOf('Progressing')).toBe('False QueueUnavailable');
    world.planner.reconcileAll();
    await world.settle();
    expect(world.events.filter((event) => event.includes(begun))).toEqual([`Warning ${begun} SidecarUpgradeFailed`]);
  });

  const withoutImage = ({ status }: FullPod, name: string) =>
    status?.containerStatuses?.map((each) =>
      each.name === name ? { ...each, ready: false, state: { waiting: { reason: 'ErrImagePull' } } } : each,
    ) ?? [];

  test('asks for the next phase at the very news that makes it due', async () => {
    edit((stored) => withImage(stored, 'mesh:v2'));
    await world.settle();
    await work();
    world.watch();
    await world.reconcile();
    expect(world.jobs.take()).toContainEqual(expect.stringMatching(/^reset web-/));
  });

  test('goes on where the last planner stopped when another one takes over', async () => {
    edit((stored) => withImage(stored, 'mesh:v2'));
    await world.settle();
    await work();
    world.jobs.take();
    world.startPlanner(2);
    world.planner.reconcileAll();
    await world.settle();
    const [{ job }] = world.jobs.asked as [{ job: { phase: string; epoch?: number } }];
    expect(job).toMatchObject({ phase: 'reset', epoch: 2 });
  });

  test('forgets a SidecarSet that is deleted, and takes its successor of the same name for another one', async () => {
    world.cluster.sidecarSets.clear();
    await world.settle();
    expect(world.planner.view()).toEqual([]);
    const again = aSidecarSet('mesh:v9');
    world.cluster.put(world.cluster.sidecarSets, { ...again, metadata: { ...again.metadata, uid: 'another' } });
    await world.settle();
    expect(world.planner.view()).toHaveLength(1);
  });
});

describe('a watch that is behind', () => {
  test('leads neither to a second revision nor to a second job', async () => {
    edit((stored) => withImage(stored, 'mesh:v2'));
    world.watch();
    for (let round = 0; round < 5; round += 1) {
      world.planner.sidecarSetChanged('mesh-set');
      await world.reconcile();
      world.later(100);
    }
    expect(world.cluster.writes.filter((write) => write.startsWith('create revision'))).toEqual([
      'create revision 1',
      'create revision 2',
    ]);
    expect(world.jobs.take()).toHaveLength(1);
    await world.settle();
    expect(world.cluster.revisions.size).toBe(2);
    expect(statusOf()?.collisionCount ?? 0).toBe(0);
  });

  test('does not undo what was written: an older SidecarSet that arrives late is not written over the newer status', async () => {
    edit((stored) => withImage(stored, 'mesh:v2'));
    world.watch();
    await world.reconcile();
    const written = statusOf();
    world.planner.sidecarSetChanged('mesh-set');
    await world.reconcile();
    expect(statusOf()).toEqual(written);
  });
});

describe('a queue that is not there', () => {
  beforeEach(async () => {
    edit((stored) => withImage(stored, 'mesh:v2'));
    world.jobs.available = false;
    world.planner.queueChanged({ available: false, filled: false, why: 'connection refused' });
    await world.settle();
  });

  test('is told by the condition, and pods stay as they are', () => {
    expect(conditionOf('Progressing')).toBe('False QueueUnavailable');
    expect(world.jobs.asked).toEqual([]);
  });

  test('is filled again with all that is due when it is back', async () => {
    world.jobs.available = true;
    world.planner.queueChanged({ available: true, filled: false });
    await world.settle();
    expect(world.jobs.take()).toEqual(['upgrade web-0']);
    expect(conditionOf('Progressing')).toBe('True RollingOut');
  });
});

test('a queue that lost its jobs is filled again', async () => {
  edit((stored) => withImage(stored, 'mesh:v2'));
  await world.settle();
  const before = world.jobs.take();
  await world.settle();
  expect(world.jobs.take()).toEqual([]);
  world.planner.queueChanged({ available: true, filled: false });
  await world.settle();
  expect(world.jobs.take()).toEqual(before);
});

test('jobs that led to nothing are asked for again after a minute', async () => {
  edit((stored) => withImage(stored, 'mesh:v2'));
  await world.settle();
  const before = world.jobs.take();
  world.later(61_000);
  world.planner.reconcileAll();
  await world.settle();
  expect(world.jobs.take()).toEqual(before);
});

test('a queue that refuses in the middle of a look is asked again for everything', async () => {
  world.jobs.available = false;
  edit((stored) => withImage(stored, 'mesh:v2'));
  await world.settle();
  expect(world.jobs.take()).toEqual([]);
  expect(conditionOf('Progressing')).toBe('False QueueUnavailable');
  world.later(5_000);
  world.planner.reconcileAll();
  await world.settle();
  expect(conditionOf('Progressing')).toBe('False QueueUnavailable');
  world.jobs.available = true;
  world.planner.reconcileAll();
  await world.settle();
  expect(world.jobs.take()).toEqual(['upgrade web-0']);
  expect(conditionOf('Progressing')).toBe('True RollingOut');
});

test('a look that fails half way is made good by the next one', async () => {
  edit((stored) => withImage(stored, 'mesh:v2'));
  world.watch();
  const write = world.cluster.writeSidecarSetStatus;
  world.cluster.writeSidecarSetStatus = async () => {
    throw new Error('overloaded');
  };
  await expect(world.reconcile()).rejects.toThrow('overloaded');
  world.cluster.writeSidecarSetStatus = write;
  world.planner.reconcileAll();
  await world.settle();
  expect(world.jobs.take()).toEqual(['upgrade web-0']);
});

test('no job is asked for while the new revision could not be written into the status', async () => {
  edit((stored) => withImage(stored, 'mesh:v2'));
  world.watch();
  edit((stored) => ({ ...stored, metadata: { ...stored.metadata, labels: { touched: 'yes' } } }));
  await world.reconcile();
  expect(world.jobs.take()).toEqual([]);
  await world.settle();
  expect(world.jobs.take()).toEqual(['upgrade web-0']);
});

test('a pod that cannot be upgraded in place is told so by its condition, once', async () => {
  edit((stored) => {
    const containers = (stored.spec.containers ?? []).map((one) => ({ ...one, env: [{ name: 'NEW', value: '1' }] }));
    const annotations = aSidecarSet('mesh:v1', { containers }).metadata.annotations ?? {};
    return {
      ...stored,
      metadata: { ...stored.metadata, generation: 2, annotations },
      spec: { ...stored.spec, containers },
    };
  });
  await world.settle();
  const written = world.cluster.writes.filter((write) => write.includes('SidecarSetUpgradable=False'));
  expect(written.sort()).toEqual(
    [0, 1, 2].map((index) => `patch pod web-${index} condition SidecarSetUpgradable=False`),
  );
});
