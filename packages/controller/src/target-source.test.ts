import { beforeEach, describe, expect, test } from '@jest/globals';
import { KRUISE, type SidecarSet } from '@sidestep/core';
import { TargetSource } from './target-source.js';
import { MemoryCluster } from './testing/memory-cluster.js';
import { aSidecarSet, withImage } from './testing/objects.js';

let now: Date;
let cluster: MemoryCluster;
let source: TargetSource;
let reads: number;
let v1: SidecarSet;

const hashOf = (set: SidecarSet): string => set.metadata.annotations?.[KRUISE.hash] ?? '';

beforeEach(() => {
  now = new Date('2026-01-01T00:00:00Z');
  reads = 0;
  cluster = new MemoryCluster();
  const read = cluster.readSidecarSet.bind(cluster);
  cluster.readSidecarSet = async (name) => {
    reads += 1;
    return read(name);
  };
  source = new TargetSource(() => cluster, { now: () => now });
  v1 = cluster.put(cluster.sidecarSets, aSidecarSet('mesh:v1'));
});

const later = (ms: number): void => {
  now = new Date(now.getTime() + ms);
};

describe('what workers know of SidecarSets', () => {
  test('is read once for all jobs of a second', async () => {
    await Promise.all(Array.from({ length: 20 }, () => source.target('mesh-set', hashOf(v1))));
    later(900);
    await source.target('mesh-set', hashOf(v1));
    expect(reads).toBe(1);
    later(200);
    await source.target('mesh-set', hashOf(v1));
    expect(reads).toBe(2);
  });

  test('is read again for a job of a revision that it does not know yet', async () => {
    await source.target('mesh-set', hashOf(v1));
    const v2 = cluster.put(cluster.sidecarSets, withImage(v1, 'mesh:v2'));
    later(100);
    expect((await source.target('mesh-set', hashOf(v2)))?.target.hash).toBe(hashOf(v2));
    expect(reads).toBe(2);
  });

  test('is not read once for each of a crowd of jobs whose revision is no longer wanted', async () => {
    for (let job = 0; job < 100; job += 1) expect(await source.target('mesh-set', 'unwanted')).toBeUndefined();
    expect(reads).toBeLessThanOrEqual(2);
  });

  test('is nothing for a SidecarSet that is gone or being deleted, and is asked for anew', async () => {
    cluster.put(cluster.sidecarSets, {
      ...v1,
      metadata: { ...v1.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
    });
    expect(await source.target('mesh-set', hashOf(v1))).toBeUndefined();
    cluster.put(cluster.sidecarSets, v1);
    expect(await source.target('mesh-set', hashOf(v1))).toBeDefined();
  });

  test('does not remember a read that failed', async () => {
    const read = cluster.readSidecarSet;
    cluster.readSidecarSet = async () => {
      throw new Error('overloaded');
    };
    await expect(source.target('mesh-set', hashOf(v1))).rejects.toThrow('overloaded');
    cluster.readSidecarSet = read;
    expect(await source.target('mesh-set', hashOf(v1))).toBeDefined();
  });
});
