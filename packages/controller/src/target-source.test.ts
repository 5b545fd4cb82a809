import { beforeEach, describe, expect, test } from '@jest/globals';
import { KRUISE, RECALL_MS, type SidecarSet } from '@sidestep/core';
import { TARGET_FRESH_MS, TargetSource } from './target-source.js';
import { MemoryCluster } from './testing/memory-cluster.js';
import { aSidecarSet, withImage, withStrategy } from './testing/objects.js';

let now: number;
let alarms: { at: number; run: () => void }[];
let cluster: MemoryCluster;
let source: TargetSource;
let reads: Record<'sidecarSet' | 'revisions' | 'epoch', number>;
let v1: SidecarSet;

const hashOf = (set: SidecarSet): string => set.metadata.annotations?.[KRUISE.hash] ?? '';

const after = (ms: number, run: () => void): (() => void) => {
  alarms.push({ at: now + ms, run });
  return () => undefined;
};

const later = (ms: number): void => {
  now += ms;
  const due = alarms.filter(({ at }) => at <= now);
  alarms = alarms.filter(({ at }) => at > now);
  for (const { run } of due) run();
};

/** As a job of the SidecarSet as it stands asks. */
const ask = (set: SidecarSet, generation = set.metadata.generation) =>
  source.target({
    sidecarSet: 'mesh-set',
    revision: hashOf(set),
    phase: 'upgrade',
    ...(generation === undefined ? {} : { generation }),
  });

beforeEach(() => {
  now = Date.parse('2026-01-01T00:00:00Z');
  alarms = [];
  reads = { sidecarSet: 0, revisions: 0, epoch: 0 };
  cluster = new MemoryCluster();
  const { readSidecarSet, listRevisions, readEpoch } = cluster;
  cluster.readSidecarSet = (name) => {
    reads.sidecarSet += 1;
    return readSidecarSet.call(cluster, name);
  };
  cluster.listRevisions = (name) => {
    reads.revisions += 1;
    return listRevisions.call(cluster, name);
  };
  cluster.readEpoch = () => {
    reads.epoch += 1;
    return readEpoch.call(cluster);
  };
  source = new TargetSource(() => cluster, { now: () => new Date(now), after });
  v1 = cluster.put(cluster.sidecarSets, aSidecarSet('mesh:v1'));
});

describe('what workers know of SidecarSets', () => {
  test('is read once for all jobs of a moment', async () => {
    await Promise.all(Array.from({ length: 20 }, () => ask(v1)));
    later(100);
    await ask(v1);
    expect(reads).toEqual({ sidecarSet: 1, revisions: 1, epoch: 1 });
  });

  test('is read again before an edit could go unnoticed for as long as the planner allows for', async () => {
    await ask(v1);
    later(RECALL_MS - 100);
    await ask(v1);
    expect(reads).toEqual({ sidecarSet: 2, revisions: 1, epoch: 1 });
  });

  test('tells of a new planner before that one begins pods', async () => {
    cluster.epoch = 1;
    await ask(v1);
    cluster.epoch = 2;
    later(TARGET_FRESH_MS);
    expect((await ask(v1))?.epoch).toBe(2);
  });

  test('is read again for a job of a revision that it does not know yet', async () => {
    await ask(v1);
    const v2 = cluster.put(cluster.sidecarSets, withImage(v1, 'mesh:v2'));
    later(60);
    expect((await ask(v2))?.target.hash).toBe(hashOf(v2));
  });

  test('lets a job that comes right after a read from before the edit wait for the next read', async () => {
    await ask(v1);
    const v2 = cluster.put(cluster.sidecarSets, withImage(v1, 'mesh:v2'));
    later(1);
    const asked = ask(v2);
    await Promise.resolve();
    await Promise.resolve();
    later(50);
    expect((await asked)?.target.hash).toBe(hashOf(v2));
    expect(reads.sidecarSet).toBe(2);
  });

  test('is not read again for jobs that were picked before an edit that it knows of', async () => {
    const edited = cluster.put(cluster.sidecarSets, withStrategy(v1, { paused: true }));
    await ask(edited);
    for (let job = 0; job < 100; job += 1) expect((await ask(v1))?.stored).toBe(edited);
    expect(reads.sidecarSet).toBe(1);
  });

  test('is nothing for a SidecarSet that is being deleted, and is asked for anew', async () => {
    const metadata = { ...v1.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    cluster.put(cluster.sidecarSets, { ...v1, metadata });
    expect(await ask(v1)).toBeUndefined();
    cluster.put(cluster.sidecarSets, v1);
    later(60);
    expect(await ask(v1)).toBeDefined();
  });

  test('costs a read per wait, not per job, when a crowd of jobs is left of a SidecarSet that is gone', async () => {
    cluster.sidecarSets.clear();
    await ask(v1);
    const crowd = Array.from({ length: 200 }, () => ask(v1));
    await new Promise((resolve) => setImmediate(resolve));
    later(50);
    expect(new Set(await Promise.all(crowd))).toEqual(new Set([undefined]));
    expect(reads.sidecarSet).toBe(2);
  });

  test('does not remember a read that failed', async () => {
    const read = cluster.readSidecarSet;
    cluster.readSidecarSet = async () => {
      throw new Error('overloaded');
    };
    await expect(ask(v1)).rejects.toThrow('overloaded');
    cluster.readSidecarSet = read;
    expect(await ask(v1)).toBeDefined();
  });
});
