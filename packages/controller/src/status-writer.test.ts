import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SidecarSet, SidecarSetStatus } from '@sidestep/core';
import { isOlderVersion } from './resource-version.js';
import { StatusWriter } from './status-writer.js';
import { MemoryCluster } from './testing/memory-cluster.js';
import { aSidecarSet } from './testing/objects.js';

let now: Date;
let cluster: MemoryCluster;
let writer: StatusWriter;
let given: SidecarSet;

const status = (changes: Partial<SidecarSetStatus> = {}): SidecarSetStatus => ({
  matchedPods: 3,
  updatedPods: 0,
  readyPods: 3,
  latestRevision: 'mesh-set-1',
  ...changes,
});
const progressing = (reason: string) => ({ type: 'Progressing', status: 'True' as const, reason, message: 'any' });

beforeEach(() => {
  now = new Date('2026-01-01T00:00:00Z');
  cluster = new MemoryCluster();
  writer = new StatusWriter(cluster, { now: () => now });
  given = cluster.put(cluster.sidecarSets, aSidecarSet('mesh:v1'));
});

const write = (next: SidecarSetStatus): Promise<number | undefined> => writer.write(writer.freshest(given), next);

describe('writing the status of a SidecarSet', () => {
  test('is not done when nothing changed', async () => {
    await write(status());
    await write(status());
    expect(cluster.writes).toEqual(['status of mesh-set']);
  });

  test('puts counters off to once a second, and says when to come back', async () => {
    await write(status());
    now = new Date(now.getTime() + 400);
    expect(await write(status({ updatedPods: 1 }))).toBe(600);
    expect(cluster.writes).toHaveLength(1);
    now = new Date(now.getTime() + 600);
    expect(await write(status({ updatedPods: 2 }))).toBeUndefined();
    expect(cluster.sidecarSets.get('mesh-set')?.status?.updatedPods).toBe(2);
  });

  test.each<[string, Partial<SidecarSetStatus>]>([
    ['another revision', { latestRevision: 'mesh-set-2' }],
    ['a generation that was seen', { observedGeneration: 7 }],
    ['a condition with another reason', { conditions: [progressing('RollingOut')] }],
    ['a step', { currentStep: 1 }],
  ])('does not put off %s', async (_what, changes) => {
    await write(status());
    await write(status(changes));
    expect(cluster.writes).toHaveLength(2);
  });

  test('comes back soon when somebody else was faster', async () => {
    cluster.put(cluster.sidecarSets, given);
    expect(await write(status())).toBeGreaterThan(0);
    expect(cluster.writes).toEqual([]);
  });

  test('goes on from its own answer while the watch is behind, and from the watch once that is newer', async () => {
    await write(status());
    const own = cluster.sidecarSets.get('mesh-set');
    expect(writer.freshest(given)).toBe(own);
    const newer = cluster.put(cluster.sidecarSets, given);
    expect(writer.freshest(newer)).toBe(newer);
  });

  test('knows nothing of another SidecarSet under the same name', async () => {
    await write(status());
    const successor = { ...given, metadata: { ...given.metadata, uid: 'another' } };
    expect(writer.freshest(successor)).toBe(successor);
  });
});

test.each([
  ['9', '10', true],
  ['10', '9', false],
  ['10', '10', false],
  [undefined, '9', false],
  ['opaque', '9', false],
  ['99999999999999999998', '99999999999999999999', true],
])('resourceVersion %s is older than %s: %s', (a, b, older) => {
  expect(isOlderVersion(a, b)).toBe(older);
});
