import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { leaveOut } from '@sidestep/testkit';
import { given, outcome, tidyUp, when } from '../journeys/journey.js';
import type { World } from '../world/world.js';
import { whyNotReal } from './real-cluster.js';

const MINUTES = 60_000;
const missing = await whyNotReal();

if (missing !== undefined) {
  leaveOut('a hot upgrade under load on a real API server', missing);
  test('what is missing is named, with the way to get it', () => expect(missing).toContain('npm test -- --all'));
} else {
  describe('on a real API server, with the roles that are shipped', () => {
    let world: World;
    beforeAll(async () => {
      world = await given.aPlatform({ apiServer: 'real' });
    }, 10 * MINUTES);
    afterAll(() => tidyUp(world), 5 * MINUTES);

    test(
      'a hot upgrade under load, and the way back, move every pod and lose nothing',
      async () => {
        const journey = await given.aHotSidecar(world, { pods: 2, maxUnavailable: '100%' });
        await given.load(journey);
        await when.theImageBecomes(journey, journey.mesh, 'v2');
        await outcome.everyPodRuns(journey, 'v2');
        await when.theImageBecomes(journey, journey.mesh, 'v1');
        await outcome.everyPodRuns(journey, 'v1');
        expect(outcome.pointerOf(journey)).toEqual(['mesh-1', 'mesh-1']);
        const { versions } = await outcome.nothingWasLost(journey);
        expect(Object.keys(versions).sort()).toEqual(['v1', 'v2']);
      },
      10 * MINUTES,
    );
  });
}
