import { beforeEach, describe, expect, test } from '@jest/globals';
import { type FullPod, KRUISE, type SidecarSet } from '@sidestep/core';
import { PhaseRunner, type PhaseRunOutcome } from './phase-runner.js';
import { TargetSource } from './target-source.js';
import { imagesOf } from './testing/memory-cluster.js';
import { acknowledged, aPod, aSidecarSet, withImage } from './testing/objects.js';
import { hastyClock, World } from './testing/world.js';

const CREATED = new Date('2026-01-01T00:00:00Z');
const MAX_UNAVAILABLE = 2;
const NAMES = ['web-0', 'web-1', 'web-2', 'web-3', 'web-4', 'web-5', 'web-6', 'web-7'];
/** They start while the planner looks, and are ready before it hears of it. */
const STARTING = NAMES.slice(2);

let world: World;
let runner: PhaseRunner;

/** Runs what is in the queue, in order; those named in `dying` end before they tell anybody what they found. */
const work = async (dying: readonly string[] = []): Promise<Map<string, PhaseRunOutcome>> => {
  const outcomes = new Map<string, PhaseRunOutcome>();
  for (const { job } of world.jobs.asked.splice(0)) {
    const outcome = await runner.run(job, new AbortController().signal);
    if (dying.includes(job.pod)) continue;
    outcomes.set(job.pod, outcome);
    if (outcome.kind === 'not-yet') await world.jobs.enqueue([job], { delayMs: outcome.afterMs });
    else if (outcome.next !== undefined) await world.jobs.enqueue([outcome.next]);
  }
  return outcomes;
};

const setReady = (names: readonly string[], ready: boolean): void => {
  for (const name of names) world.change(name, (pod) => acknowledged(pod, world.now, ready ? [] : ['app']));
};

const begun = (): string[] => NAMES.filter((name) => !imagesOf(world.cluster.pod(name)).includes('empty:v1'));

const begins = (): string[] => world.jobs.take().filter((asked) => asked.startsWith('upgrade'));

const wanted = (): SidecarSet => world.cluster.sidecarSets.get('mesh-set') as SidecarSet;

const isUpdated = ({ metadata }: FullPod): boolean =>
  metadata.annotations?.[KRUISE.hash]?.includes(wanted().metadata.annotations?.[KRUISE.hash] ?? '') ?? false;

beforeEach(async () => {
  world = new World();
  const v1 = aSidecarSet('mesh:v1', { updateStrategy: { maxUnavailable: MAX_UNAVAILABLE } });
  world.cluster.put(world.cluster.sidecarSets, v1);
  for (const name of NAMES) world.cluster.putPod(aPod(name, [v1], CREATED));
  setReady(STARTING, false);
  await world.settle();
  const clock = hastyClock(() => world.now);
  const events = { onPod: () => undefined, onSidecarSet: () => undefined };
  runner = new PhaseRunner({
    cluster: world.cluster,
    targets: new TargetSource(() => world.cluster, clock),
    events,
    clock,
  });
  world.cluster.put(world.cluster.sidecarSets, withImage(wanted(), 'mesh:v2'));
  await world.settle();
});

describe('a planner that has not heard that pods became ready', () => {
  test('picks them for nothing, and no more are begun than maxUnavailable allows all the same', async () => {
    expect(world.jobs.asked.filter(({ job }) => job.pickedUnready === true)).toHaveLength(STARTING.length);
    setReady(STARTING, true);
    const outcomes = await work();
    expect(begun()).toEqual(['web-0', 'web-1']);
    expect(STARTING.map((name) => outcomes.get(name))).toEqual(
      STARTING.map(() => expect.objectContaining({ kind: 'done', result: 'overtaken', reason: 'BecameReady' })),
    );
  });

  test('begins those that are still not ready beside them', async () => {
    setReady(STARTING.slice(1), true);
    await work();
    expect(begun()).toEqual(['web-0', 'web-1', 'web-2']);
  });

  test('lets a worker that reads an old version of a pod begin nothing either: the API server refuses the write', async () => {
    world.cluster.remembered = new Map(world.cluster.pods);
    setReady(STARTING, true);
    await work();
    expect(begun()).toEqual(['web-0', 'web-1']);
  });

  test('lets none become ready in between: the write is locked to the pod that was read', async () => {
    world.cluster.beforePodWrite = ({ name }) => {
      if (STARTING.includes(name)) setReady([name], true);
    };
    await work();
    expect(begun().filter((name) => STARTING.includes(name))).toEqual([]);
  });

  test.each([
    ['the worker says so', []],
    ['the worker dies before it can say so', STARTING],
  ])('loses none of them, never has more under way, and waits for no time to pass: %s', async (_, dying) => {
    setReady(STARTING, true);
    await work(dying);
    for (let round = 0; round < 40; round += 1) {
      await world.settle();
      await work();
      expect(begun().length).toBeLessThanOrEqual(MAX_UNAVAILABLE);
      for (const name of NAMES) world.change(name, (pod) => acknowledged(pod, world.now));
    }
    expect([...world.cluster.pods.values()].filter(isUpdated)).toHaveLength(NAMES.length);
  });

  test('asks for none of them while it hears nothing, nor while there is no room for them', async () => {
    setReady(STARTING, true);
    await work();
    await world.reconcile();
    expect(begins()).toEqual([]);
    await world.settle();
    expect(begins()).toEqual([]);
  });

  test('replaces the job that waits for nothing by one that is paid for, once it has heard and there is room', async () => {
    const free = world.jobs.asked.filter(({ job }) => job.pickedUnready === true);
    world.jobs.asked.splice(0, world.jobs.asked.length, ...world.jobs.asked.filter((one) => !free.includes(one)));
    for (let round = 0; round < 3; round += 1) {
      await work();
      for (const name of NAMES.slice(0, 2)) world.change(name, (pod) => acknowledged(pod, world.now));
      await world.settle();
    }
    world.jobs.asked.splice(0, world.jobs.asked.length, ...free);
    setReady(STARTING, true);
    await world.settle();
    const paid = world.jobs.asked.filter(({ job }) => job.pickedUnready === undefined);
    expect([world.jobs.asked.length, paid.length]).toEqual([STARTING.length, MAX_UNAVAILABLE]);
    await work();
    expect(begun()).toEqual(paid.map(({ job }) => job.pod).sort());
  });
});
