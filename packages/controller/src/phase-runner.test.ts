import { beforeEach, describe, expect, test } from '@jest/globals';
import { decidePodUpgrade, KRUISE, RECALL_MS, type SidecarSet, upgradeTarget } from '@sidestep/core';
import { PhaseRunner } from './phase-runner.js';
import type { EventPort, PhaseJobKeys } from './ports.js';
import { TargetSource } from './target-source.js';
import { imagesOf, MemoryCluster } from './testing/memory-cluster.js';
import { acknowledged, aPod, aSidecarSet, withImage, withStrategy } from './testing/objects.js';
import { hastyClock } from './testing/world.js';

const START = new Date('2026-01-01T00:00:00Z');
const LATER = new Date('2026-01-01T01:00:00Z');

let now: Date;
let cluster: MemoryCluster;
let events: string[];
let runner: PhaseRunner;
let v1: SidecarSet;
let v2: SidecarSet;

const never = new AbortController().signal;

const hashOf = (sidecarSet: SidecarSet): string => sidecarSet.metadata.annotations?.[KRUISE.hash] ?? '';

const jobFor = (phase: PhaseJobKeys['phase'], changes: Partial<PhaseJobKeys> = {}): PhaseJobKeys => ({
  namespace: 'shop',
  pod: 'web',
  uid: 'uid-of-web',
  sidecarSet: 'mesh-set',
  revision: hashOf(v2),
  phase,
  attempt: 1,
  ...changes,
});

beforeEach(() => {
  now = LATER;
  cluster = new MemoryCluster();
  cluster.now = () => now;
  events = [];
  v1 = aSidecarSet('mesh:v1');
  v2 = withImage(v1, 'mesh:v2');
  cluster.put(cluster.sidecarSets, v2);
  cluster.putPod(aPod('web', [v1], START));
  const clock = hastyClock(() => now);
  const port: EventPort = {
    onPod: (pod, event) => events.push(`${event.type} ${pod.metadata.name} ${event.reason}`),
    onSidecarSet: (set, event) => events.push(`${event.type} ${set.metadata.name} ${event.reason}`),
  };
  runner = new PhaseRunner({ cluster, targets: new TargetSource(() => cluster, clock), events: port, clock });
});

describe('running one phase of one pod', () => {
  test('upgrade writes the new image once, and asks for the migration to be looked at later', async () => {
    const outcome = await runner.run(jobFor('upgrade'), never);
    expect(outcome).toMatchObject({
      kind: 'done',
      result: 'wrote',
      next: { phase: 'migration', attempt: 1, uid: 'uid-of-web' },
      nextOptions: { delayMs: expect.any(Number) },
    });
    expect(cluster.writes[0]).toBe('patch pod web: mesh-1=mesh:v1 mesh-2=mesh:v2 app=shop:1');
  });

  test('migration holds no worker while the new container starts', async () => {
    await runner.run(jobFor('upgrade'), never);
    cluster.writes.length = 0;
    const outcome = await runner.run(jobFor('migration'), never);
    expect(outcome).toMatchObject({ kind: 'not-yet', result: 'waiting', reason: 'ContainerStarting' });
    expect(cluster.writes).toEqual([]);
  });

  test('migration goes on with the reset at once when the new container serves', async () => {
    await runner.run(jobFor('upgrade'), never);
    cluster.putPod(acknowledged(cluster.pod('web'), now));
    cluster.writes.length = 0;
    const outcome = await runner.run(jobFor('migration'), never);
    expect(outcome).toMatchObject({ kind: 'done', result: 'wrote', reason: 'ReadyToReset' });
    expect(cluster.writes).toHaveLength(1);
  });

  test('reset empties the old container and tells the pod so', async () => {
    await runner.run(jobFor('upgrade'), never);
    cluster.putPod(acknowledged(cluster.pod('web'), now));
    const outcome = await runner.run(jobFor('reset'), never);
    expect(outcome).toMatchObject({ kind: 'done', result: 'wrote' });
    expect(imagesOf(cluster.pod('web'))).toBe('mesh-1=empty:v1 mesh-2=mesh:v2 app=shop:1');
    expect(events).toEqual(['Normal web ResetContainerSucceed']);
  });

  test('abort takes a failed pod back to its old container', async () => {
    await runner.run(jobFor('upgrade'), never);
    cluster.putPod(acknowledged(cluster.pod('web'), now, ['mesh-2']));
    cluster.put(cluster.sidecarSets, v1);
    now = new Date(LATER.getTime() + 2_000);
    const outcome = await runner.run(jobFor('abort', { revision: hashOf(v1) }), never);
    expect(outcome).toMatchObject({ result: 'wrote', reason: 'SpecWentBack' });
    expect(imagesOf(cluster.pod('web'))).toBe('mesh-1=mesh:v1 mesh-2=empty:v1 app=shop:1');
    expect(events).toEqual(['Warning web SidecarUpgradeAborted']);
  });
});

describe('a job that comes late, twice, or for nothing', () => {
  test.each([
    ['the pod is gone', () => cluster.pods.clear(), 'PodGone'],
    [
      'another pod has its name',
      () => cluster.putPod({ ...cluster.pod('web'), metadata: { ...cluster.pod('web').metadata, uid: 'new' } }),
      'PodGone',
    ],
    ['the SidecarSet is gone', () => cluster.sidecarSets.clear(), 'Superseded'],
    [
      'the SidecarSet wants another revision',
      () => cluster.put(cluster.sidecarSets, withImage(v1, 'mesh:v3')),
      'Superseded',
    ],
  ])('is dropped without a write when %s', async (_what, happens, reason) => {
    happens();
    const outcome = await runner.run(jobFor('upgrade'), never);
    expect(outcome).toMatchObject({ kind: 'done', result: 'gone', reason });
    expect(outcome).not.toHaveProperty('next');
    expect(cluster.writes).toEqual([]);
  });

  test('is dropped when it ran before, and the successor is asked for again', async () => {
    await runner.run(jobFor('upgrade'), never);
    cluster.writes.length = 0;
    const outcome = await runner.run(jobFor('upgrade'), never);
    expect(outcome).toMatchObject({ result: 'overtaken', next: { phase: 'migration' } });
    expect(cluster.writes).toEqual([]);
  });

  test('never begins a pod that nobody picked: an upgrade that is due asks for nothing', async () => {
    const outcome = await runner.run(jobFor('reset'), never);
    expect(outcome).toMatchObject({ kind: 'done', result: 'overtaken' });
    expect(outcome).not.toHaveProperty('next');
    expect(cluster.writes).toEqual([]);
  });

  test('does not begin another attempt than it was made for', async () => {
    const outcome = await runner.run(jobFor('upgrade', { attempt: 7 }), never);
    expect(outcome.result).toBe('overtaken');
    expect(cluster.writes).toEqual([]);
  });

  test('does not begin a pod that a former planner picked, for the one that leads now may have picked others', async () => {
    cluster.epoch = 5;
    const outcome = await runner.run(jobFor('upgrade', { epoch: 4 }), never);
    expect(outcome).toMatchObject({ kind: 'done', result: 'gone', reason: 'Superseded' });
    expect(cluster.writes).toEqual([]);
    expect((await runner.run(jobFor('upgrade', { epoch: 5 }), never)).result).toBe('wrote');
  });

  test('does not begin a pod that was picked before the SidecarSet was edited, for others may be picked now', async () => {
    const { generation = 0 } = v2.metadata;
    cluster.put(cluster.sidecarSets, withStrategy(v2, { partition: '100%' }));
    const outcome = await runner.run(jobFor('upgrade', { generation }), never);
    expect(outcome).toMatchObject({ kind: 'done', result: 'gone', reason: 'Superseded' });
    expect(cluster.writes).toEqual([]);
    expect((await runner.run(jobFor('upgrade', { generation: generation + 1 }), never)).result).toBe('wrote');
  });

  test('does not begin a pod of a rollout that is held by its failure policy', async () => {
    const held = { type: 'Paused', status: 'True', reason: 'TooManyFailures', message: '2 pods failed' };
    const status = { matchedPods: 1, updatedPods: 0, readyPods: 1, conditions: [held] } as SidecarSet['status'];
    cluster.put(cluster.sidecarSets, { ...v2, ...(status ? { status } : {}) });
    expect(await runner.run(jobFor('upgrade'), never)).toMatchObject({ result: 'gone', reason: 'TooManyFailures' });
    expect(cluster.writes).toEqual([]);
  });

  test('finishes a pod that was picked before the SidecarSet was edited', async () => {
    await runner.run(jobFor('upgrade'), never);
    const { generation = 0 } = v2.metadata;
    cluster.putPod(acknowledged(cluster.pod('web'), now));
    cluster.put(cluster.sidecarSets, withStrategy(v2, { paused: true }));
    expect((await runner.run(jobFor('reset', { generation }), never)).result).toBe('wrote');
  });

  test('finishes a pod that a former planner began', async () => {
    await runner.run(jobFor('upgrade'), never);
    cluster.putPod(acknowledged(cluster.pod('web'), now));
    cluster.epoch = 5;
    expect((await runner.run(jobFor('reset', { epoch: 4 }), never)).result).toBe('wrote');
  });

  test('does not begin a pod of a SidecarSet that was paused meanwhile', async () => {
    const updateStrategy = { ...v2.spec.updateStrategy, paused: true };
    cluster.put(cluster.sidecarSets, { ...v2, spec: { ...v2.spec, updateStrategy } });
    const outcome = await runner.run(jobFor('upgrade'), never);
    expect(outcome).toMatchObject({ result: 'overtaken', reason: 'Paused' });
    expect(cluster.writes).toEqual([]);
  });
});

describe('a write that meets somebody else', () => {
  test('is decided again on what the other one left', async () => {
    let others = 0;
    cluster.beforePodWrite = () => {
      others += 1;
      if (others === 1)
        cluster.putPod({
          ...cluster.pod('web'),
          metadata: { ...cluster.pod('web').metadata, labels: { app: 'shop', touched: 'yes' } },
        });
    };
    const outcome = await runner.run(jobFor('upgrade'), never);
    expect(outcome.result).toBe('wrote');
    expect(cluster.pod('web').metadata.labels).toEqual({ app: 'shop', touched: 'yes' });
    expect(imagesOf(cluster.pod('web'))).toContain('mesh-2=mesh:v2');
  });

  test('is dropped when the other one was the same phase on another worker', async () => {
    let first = true;
    cluster.beforePodWrite = () => {
      if (!first) return;
      first = false;
      const target = upgradeTarget(v2);
      const decision = decidePodUpgrade({ target, pod: cluster.pod('web'), now });
      void cluster.patchPod(cluster.pod('web'), decision.patch ?? []);
    };
    const outcome = await runner.run(jobFor('upgrade'), never);
    expect(outcome.result).toBe('overtaken');
    expect(cluster.writes.filter((write) => write.startsWith('patch pod'))).toHaveLength(1);
  });

  test('that is refused is told on the pod and on its SidecarSet, and tried again later', async () => {
    cluster.refusePodWrites = 'admission webhook "images.example" denied the request: no tag latest';
    expect(await runner.run(jobFor('upgrade'), never)).toMatchObject({
      kind: 'not-yet',
      afterMs: 60_000,
      reason: 'WriteRefused',
      message: expect.stringContaining('no tag latest'),
    });
    expect(events).toEqual(['Warning web SidecarUpgradeFailed', 'Warning mesh-set SidecarUpgradeFailed']);
    cluster.refusePodWrites = undefined;
    expect((await runner.run(jobFor('upgrade'), never)).result).toBe('wrote');
  });

  test('begins no pod with what it read of a SidecarSet before it stood still, for the planner may have picked others since', async () => {
    cluster.beforePodWrite = () => {
      cluster.beforePodWrite = () => undefined;
      now = new Date(now.getTime() + RECALL_MS + 1);
      cluster.put(cluster.sidecarSets, { ...v2, metadata: { ...v2.metadata, generation: 7 } });
    };
    const outcome = await runner.run(jobFor('upgrade', { generation: 6 }), never);
    expect(outcome).toMatchObject({ kind: 'done', result: 'gone', reason: 'Superseded' });
    expect(cluster.writes).toEqual([]);
  });

  test('begins a pod after all when it stood still and nothing changed meanwhile', async () => {
    cluster.beforePodWrite = () => {
      cluster.beforePodWrite = () => undefined;
      now = new Date(now.getTime() + RECALL_MS + 1);
    };
    const outcome = await runner.run(jobFor('upgrade'), never);
    expect(outcome).toMatchObject({ kind: 'done', result: 'wrote' });
  });

  test('gives its place up after a handful of lost races instead of holding the worker', async () => {
    cluster.beforePodWrite = () => void cluster.putPod(cluster.pod('web'));
    const outcome = await runner.run(jobFor('upgrade'), never);
    expect(outcome).toMatchObject({ kind: 'not-yet', reason: 'Conflict' });
  });

  test('fails with the error of the API server, whose retry rule the queue follows', async () => {
    const failure = Object.assign(new Error('overloaded'), { retry: { afterMs: 1_000 } });
    cluster.beforePodWrite = () => {
      throw failure;
    };
    await expect(runner.run(jobFor('upgrade'), never)).rejects.toBe(failure);
  });

  test('is not begun by a worker that was told to stop', async () => {
    const stopped = AbortSignal.abort(new Error('stopping'));
    await expect(runner.run(jobFor('upgrade'), stopped)).rejects.toThrow('stopping');
    expect(cluster.writes).toEqual([]);
  });
});
