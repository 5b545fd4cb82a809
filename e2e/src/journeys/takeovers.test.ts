import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { World } from '../world/world.js';
import { eventually, given, outcome, tidyUp, when } from './journey.js';

const MINUTES = 60_000;
let world: World;

beforeAll(async () => {
  world = await given.aPlatform({ planners: 2 });
}, 10 * MINUTES);
afterAll(() => tidyUp(world), 5 * MINUTES);

describe('a part of the control plane that comes back, or is taken over', () => {
  test(
    'a Redis that dies and comes back empty: the rollout says why it waits, and then goes on by itself',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 3 });
      await given.load(journey);
      await when.theImageBecomes(journey, journey.mesh, 'v2');
      await when.aPodIs(journey, 'upgrading');
      await when.redisIsKilled(journey);
      await outcome.theSetSays(journey, 'QueueUnavailable');
      await when.redisIsStarted(journey);
      await outcome.everyPodRuns(journey, 'v2');
      await outcome.nothingWasLost(journey);
    },
    10 * MINUTES,
  );

  test(
    'the planner that leads dies in the middle of a rollout: the one that stands by takes its lease over and ends the rollout',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 3 });
      await given.load(journey);
      await when.theImageBecomes(journey, journey.mesh, 'v2');
      await when.aPodIs(journey, 'upgrading');
      const killed = await when.theLeadingPlannerIsKilled(journey);
      const successor = await outcome.anotherPlannerLeads(journey, killed);
      expect([killed, successor].sort()).toEqual(['planner', 'planner-2']);
      await outcome.everyPodRuns(journey, 'v2');
      await outcome.theSetSays(journey, 'RolloutComplete');
      await outcome.nothingWasLost(journey);
    },
    10 * MINUTES,
  );
});

describe('an image that is brought to the nodes first', () => {
  test(
    'is pulled before any pod is begun, and leaves nothing behind',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 2, prePull: true });
      await given.load(journey);
      await when.pullsTake(journey, 'v3', 1_000);
      await when.theImageBecomes(journey, journey.mesh, 'v3');
      await outcome.theSetSays(journey, 'PrePulling');
      expect(outcome.versionsOf(journey)).toEqual(['v1', 'v1']);
      await when.pullsTake(journey, 'v3', 0);
      await outcome.everyPodRuns(journey, 'v3');
      await outcome.nothingWasLost(journey);
      await eventually(world, () => world.podsOf('kruise-system').length === 0, 'the pods that pulled to be gone');
    },
    10 * MINUTES,
  );
});
