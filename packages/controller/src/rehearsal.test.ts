import { describe, expect, test } from '@jest/globals';
import { type ProjectedPod, projectPod, type SidecarSet } from '@sidestep/core';
import { Rehearsal } from './rehearsal.js';
import { aPod, aSidecarSet, withStrategy } from './testing/objects.js';
import { World } from './testing/world.js';

const CREATED = new Date('2026-01-01T00:00:00Z');
const NOW = new Date('2026-01-01T01:00:00Z');

const podsOf = (sidecarSet: SidecarSet, count: number): ProjectedPod[] =>
  Array.from({ length: count }, (_, index) => projectPod(aPod(`web-${index}`, [sidecarSet], CREATED)));

const subjectOf = (sidecarSet: SidecarSet) => ({ sidecarSet, revisions: [], latestRevision: 'mesh-set-1' });

describe('the rehearsal of an edit', () => {
  test.each([
    ['as it stands', aSidecarSet('mesh:v1')],
    ['also where one pod at a time may be begun', aSidecarSet('mesh:v1', { updateStrategy: { maxUnavailable: 1 } })],
    ['also where the rollout is paused', withStrategy(aSidecarSet('mesh:v1'), { paused: true })],
  ])('goes through the rules up to the jobs of all pods, %s', (_name, sidecarSet) => {
    expect(new Rehearsal().run(subjectOf(sidecarSet), podsOf(sidecarSet, 3), NOW)).toBe(3);
  });

  test('ends after enough pods, however many there are', () => {
    const sidecarSet = aSidecarSet('mesh:v1');
    const pods = podsOf(sidecarSet, 400);
    const rehearsal = new Rehearsal();
    const asked = Array.from({ length: 8 }, () => rehearsal.run(subjectOf(sidecarSet), pods, NOW));
    expect(asked).toEqual([100, 100, 100, 100, 100, 100, 0, 0]);
  });

  test('ends at once where the rules cannot be run', () => {
    const sidecarSet = aSidecarSet('mesh:v1');
    const rehearsal = new Rehearsal();
    const broken = { ...subjectOf(sidecarSet), sidecarSet: { ...sidecarSet, spec: null } as unknown as SidecarSet };
    expect(rehearsal.run(broken, podsOf(sidecarSet, 3), NOW)).toBe(0);
    expect(rehearsal.run(subjectOf(sidecarSet), podsOf(sidecarSet, 3), NOW)).toBe(0);
  });
});

test('a planner with nothing to do rehearses over its pods, and nothing comes of it', async () => {
  const world = new World();
  const sidecarSet = aSidecarSet('mesh:v1');
  world.cluster.put(world.cluster.sidecarSets, sidecarSet);
  for (let index = 0; index < 3; index += 1) world.cluster.putPod(aPod(`web-${index}`, [sidecarSet], CREATED));
  const rehearsals: number[] = [];
  const run = Rehearsal.prototype.run;
  Rehearsal.prototype.run = function (...given) {
    rehearsals.push(run.apply(this, given));
    return rehearsals.at(-1) ?? 0;
  };
  try {
    await world.settle();
  } finally {
    Rehearsal.prototype.run = run;
  }
  expect(rehearsals).toContain(3);
  expect(world.jobs.asked).toEqual([]);
  expect(world.cluster.writes.filter((write) => write.startsWith('patch pod'))).toEqual([]);
});
