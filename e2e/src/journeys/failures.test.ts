import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { World } from '../world/world.js';
import { given, outcome, tidyUp, when } from './journey.js';

const MINUTES = 60_000;
let world: World;

beforeAll(async () => {
  world = await given.aPlatform();
}, 10 * MINUTES);
afterAll(() => tidyUp(world), 5 * MINUTES);

describe('a new version that fails', () => {
  // A crash shows as the failed hook at first and as a crash loop to whoever looks later.
  const CRASHED = ['PostStartHookFailed', 'CrashLoop'];
  // Only where nothing else ends the upgrade its deadline is near: elsewhere it must not come first on a slow machine.
  const hangs = { why: ['DeadlineExceeded', ...CRASHED], deadlineSeconds: 20, graceSeconds: 20 };
  test.each<
    [string, string, { why: string[]; deadlineSeconds?: number; graceSeconds?: number; mayDieInFlight?: number }]
  >([
    ['has an image that does not exist', 'absent', { why: ['ImagePullFailed'] }],
    ['crashes before it asks for the sockets', 'v2-crashes-before', { why: CRASHED }],
    ['crashes with the sockets in hand, before it serves', 'v2-crashes-ready', { why: CRASHED }],
    ['crashes right after it took over', 'v2-crashes', { why: CRASHED, mayDieInFlight: 200 }],
    ['hangs while it takes over', 'v2-hangs', hangs],
  ])(
    'that %s is aborted on every pod it was begun on, and a good one then goes through',
    async (_, version, { why, mayDieInFlight = 0, ...options }) => {
      const journey = await given.aHotSidecar(world, { pods: 3, ...options });
      await given.load(journey);
      await when.theImageBecomes(journey, journey.mesh, version);
      const { aborted } = await outcome.theRolloutIsAborted(journey, ...why);
      expect(aborted).toBeLessThan(3);
      expect(outcome.versionsOf(journey)).toEqual(['v1', 'v1', 'v1']);
      await when.anUpgradeMayTakeLong(journey);
      await when.theImageBecomes(journey, journey.mesh, 'v3');
      await outcome.everyPodRuns(journey, 'v3');
      const { killedInFlight } = await outcome.nothingWasLost(journey);
      expect(killedInFlight).toBeLessThanOrEqual(mayDieInFlight);
    },
    10 * MINUTES,
  );
});

describe('a control plane that fails in the middle of a rollout', () => {
  test.each(['upgrading', 'migrated', 'resetting'])(
    'a worker killed while a pod is %s is replaced, and the rollout completes',
    async (state) => {
      const journey = await given.aHotSidecar(world, { pods: 3 });
      await given.load(journey);
      await when.theImageBecomes(journey, journey.mesh, 'v2');
      await when.aPodIs(journey, state, ...(state === 'migrated' ? ['resetting'] : []));
      await Promise.all([when.isKilledAndReplaced(journey, 'worker-1'), when.isKilledAndReplaced(journey, 'worker-2')]);
      await outcome.everyPodRuns(journey, 'v2');
      await outcome.nothingWasLost(journey);
    },
    10 * MINUTES,
  );

  test(
    'a planner that is killed is replaced by another one, which goes on where it stopped',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 3 });
      await given.load(journey);
      await when.theImageBecomes(journey, journey.mesh, 'v2');
      await when.aPodIs(journey, 'upgrading');
      await when.isKilledAndReplaced(journey, 'planner');
      await outcome.everyPodRuns(journey, 'v2');
      await outcome.nothingWasLost(journey);
    },
    10 * MINUTES,
  );

  test(
    'a Redis that loses everything costs time only',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 3 });
      await given.load(journey);
      await when.theImageBecomes(journey, journey.mesh, 'v2');
      await when.aPodIs(journey, 'upgrading');
      await when.redisIsFlushed(journey);
      await outcome.everyPodRuns(journey, 'v2');
      await outcome.nothingWasLost(journey);
    },
    10 * MINUTES,
  );

  test(
    'a webhook that is killed is replaced, and pods created afterwards are injected',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 1 });
      await when.isKilledAndReplaced(journey, 'webhook');
      await world.platform.service('webhook').ready();
      await given.morePods(journey, 1);
      expect(outcome.pointerOf(journey)).toEqual(['mesh-1', 'mesh-1']);
    },
    10 * MINUTES,
  );
});
