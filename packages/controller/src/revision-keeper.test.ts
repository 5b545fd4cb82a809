import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ControllerRevision, SidecarSet } from '@sidestep/core';
import { RevisionKeeper } from './revision-keeper.js';
import { MemoryCluster } from './testing/memory-cluster.js';
import { aSidecarSet, withImage } from './testing/objects.js';

let now: Date;
let cluster: MemoryCluster;
let keeper: RevisionKeeper;
let v1: SidecarSet;

const stored = (): ControllerRevision[] => [...cluster.revisions.values()];
const none = new Set<string>();

beforeEach(() => {
  now = new Date('2026-01-01T00:00:00Z');
  cluster = new MemoryCluster();
  keeper = new RevisionKeeper(cluster, { now: () => now }, 'kruise-system');
  v1 = aSidecarSet('mesh:v1');
});

describe('keeping the revisions of a SidecarSet', () => {
  test('writes one per spec, and none while the cache does not show it yet', async () => {
    const first = await keeper.keep(v1, [], none);
    const again = await keeper.keep(v1, [], none);
    expect(again.latest).toBe(first.latest);
    expect(cluster.writes).toEqual(['create revision 1']);
  });

  test('believes the cache again when its own write was not seen for half a minute', async () => {
    const { latest } = await keeper.keep(v1, [], none);
    cluster.revisions.clear();
    now = new Date(now.getTime() + 31_000);
    await keeper.keep(v1, [], none);
    expect(cluster.writes).toEqual(['create revision 1', 'create revision 1']);
    expect(stored().map(({ metadata }) => metadata.name)).toEqual([latest]);
  });

  test('takes a revision that another planner has just made for what it is, not for a collision', async () => {
    await new RevisionKeeper(cluster, { now: () => now }, 'kruise-system').keep(v1, [], none);
    const kept = await keeper.keep(v1, [], none);
    expect(kept.collisionCount).toBe(0);
    expect(cluster.revisions.size).toBe(1);
  });

  test('steps aside from an object of somebody else that has the name', async () => {
    const { latest } = await keeper.keep(v1, [], none);
    const mine = stored()[0] as ControllerRevision;
    cluster.revisions.clear();
    const labels = { app: 'somebody' };
    cluster.put(cluster.revisions, { ...mine, data: {}, metadata: { ...mine.metadata, labels, ownerReferences: [] } });
    const other = new RevisionKeeper(cluster, { now: () => now }, 'kruise-system');
    const kept = await other.keep(v1, [], none);
    expect(kept.latest).not.toBe(latest);
    expect(kept.collisionCount).toBe(1);
  });

  test('going back to an old spec makes its revision the newest again', async () => {
    const first = await keeper.keep(v1, [], none);
    await keeper.keep(withImage(v1, 'mesh:v2'), stored(), none);
    const back = await keeper.keep(withImage(v1, 'mesh:v1'), stored(), none);
    expect(back.latest).toBe(first.latest);
    expect(cluster.writes).toEqual(['create revision 1', 'create revision 2', 'update revision to 3']);
  });

  test('removes what is over the limit, but nothing that a pod runs', async () => {
    const limited = aSidecarSet('mesh:v1', { revisionHistoryLimit: 2 });
    const first = await keeper.keep(limited, stored(), none);
    const inUse = new Set([first.latest]);
    for (const image of ['mesh:v2', 'mesh:v3', 'mesh:v4'])
      await keeper.keep(withImage(limited, image), stored(), inUse);
    const left = stored().map(({ revision }) => revision);
    expect(left).toContain(1);
    expect(left).toContain(4);
    expect(left).toHaveLength(2);
  });

  test('asks the API server nothing while nothing changes', async () => {
    await keeper.keep(v1, [], none);
    const calls: string[] = [];
    cluster.listRevisions = async () => {
      calls.push('list');
      return [];
    };
    cluster.createRevision = async () => {
      calls.push('create');
      return undefined;
    };
    for (let look = 0; look < 5; look += 1) await keeper.keep(v1, stored(), none);
    expect(calls).toEqual([]);
  });

  test('gives up for now, with back-off, when somebody else keeps writing', async () => {
    cluster.createRevision = async () => undefined;
    await expect(keeper.keep(v1, [], none)).rejects.toMatchObject({ code: 'REVISION_CONFLICT', retry: 'backoff' });
  });
});
