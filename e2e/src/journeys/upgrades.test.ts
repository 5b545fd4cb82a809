import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { World } from '../world/world.js';
import { given, outcome, tidyUp, when } from './journey.js';

const MINUTES = 60_000;
let world: World;

beforeAll(async () => {
  world = await given.aPlatform();
}, 10 * MINUTES);
afterAll(() => tidyUp(world), 5 * MINUTES);

describe('a hot upgrade under load', () => {
  test(
    'the first upgrade moves every pod to the new sidecar and loses nothing',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 3 });
      await given.load(journey);
      await when.theImageBecomes(journey, journey.mesh, 'v2');
      await outcome.everyPodRuns(journey, 'v2');
      expect(outcome.pointerOf(journey)).toEqual(['mesh-2', 'mesh-2', 'mesh-2']);
      const { versions } = await outcome.nothingWasLost(journey);
      expect(Object.keys(versions).sort()).toEqual(['v1', 'v2']);
    },
    10 * MINUTES,
  );

  test(
    'an upgrade and the way back to the old image use the two containers in turn',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 2, maxUnavailable: '100%' });
      await given.load(journey);
      await when.theImageBecomes(journey, journey.mesh, 'v2');
      await outcome.everyPodRuns(journey, 'v2');
      await when.theImageBecomes(journey, journey.mesh, 'v1');
      await outcome.everyPodRuns(journey, 'v1');
      expect(outcome.pointerOf(journey)).toEqual(['mesh-1', 'mesh-1']);
      await outcome.nothingWasLost(journey);
    },
    10 * MINUTES,
  );

  test(
    'two SidecarSets on one pod are upgraded at the same time without getting into each other’s way',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 0 });
      const edge = await given.aSecondSidecar(journey);
      await given.morePods(journey, 2);
      await given.load(journey, 100, edge.listenPort);
      await Promise.all([when.theImageBecomes(journey, journey.mesh, 'v2'), when.theImageBecomes(journey, edge, 'v3')]);
      await outcome.everyPodRuns(journey, 'v2');
      await outcome.everyPodRuns(journey, 'v3', edge);
      await outcome.nothingWasLost(journey);
    },
    10 * MINUTES,
  );
});
