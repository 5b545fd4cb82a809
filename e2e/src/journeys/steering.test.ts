// What somebody changes in the middle of a rollout, and what must not come of it.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type CanaryStep, KRUISE, type Pod } from '@sidestep/core';
import { kubectlSidestep } from '../platform/kubectl-sidestep.js';
import { PODS, SIDECARSETS } from '../world/resources.js';
import { EMPTY_IMAGE, image } from '../world/scenario.js';
import type { World } from '../world/world.js';
import { eventually, given, type Journey, outcome, tidyUp, when } from './journey.js';

const MINUTES = 60_000;
const STRATEGY = '/spec/updateStrategy';
const SIDECAR = '/spec/containers/0';

let world: World;
beforeAll(async () => {
  world = await given.aPlatform();
}, 5 * MINUTES);
afterAll(() => tidyUp(world), 5 * MINUTES);

/** The planner has seen the SidecarSet as it is stored now, which may be news here as well, and no pod is under way. */
const comesToRest = async ({ mesh }: Journey, reason: string): Promise<void> => {
  const { name } = mesh;
  const { generation } = (await world.platform.api.get(SIDECARSETS, { name })).metadata;
  const rests = (): boolean => {
    const { status } = world.set(name);
    const said = status?.conditions?.find(({ type }) => type === 'Progressing')?.reason;
    return status?.observedGeneration === generation && said === reason && status?.upgradingPods === 0;
  };
  await eventually(world, rests, `SidecarSet ${name} to rest and to say ${reason}`);
};

const change = (version: string, steps?: CanaryStep[]): object[] => [
  { op: 'replace', path: `${SIDECAR}/image`, value: image(version) },
  { op: 'add', path: `${STRATEGY}/steps`, value: steps ?? [] },
];

/** In no order: which pods are first is not the question. */
const versions = (journey: Journey): string[] => outcome.versionsOf(journey).sort();

const sidecarImages = ({ spec }: Pod): string[] =>
  spec.containers.filter(({ name }) => name.startsWith('mesh-')).map((container) => container.image ?? '');

describe('canary steps', () => {
  test(
    'that are fewer than those which were over let nobody follow before they are promoted',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 3 });
      const { name } = journey.mesh;
      await world.patchSet(name, change('v2', [{ pods: 1 }, { pods: 2, pause: {} }]));
      await comesToRest(journey, 'StepPause');
      expect(world.set(name).status?.currentStep).toBe(1);
      await world.patchSet(name, [{ op: 'replace', path: `${STRATEGY}/steps`, value: [{ pods: 2, pause: {} }] }]);
      await comesToRest(journey, 'StepPause');
      expect(versions(journey)).toEqual(['v1', 'v2', 'v2']);
      expect(await kubectlSidestep(world.platform, 'promote', name)).toMatchObject({ code: 0 });
      await outcome.everyPodRuns(journey, 'v2');
    },
    10 * MINUTES,
  );

  test(
    'hold a version that comes again, although its first canary was promoted through all of them',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 2, maxUnavailable: '100%' });
      const { name } = journey.mesh;
      const steps = [{ pods: 1, pause: {} }];
      await world.patchSet(name, change('v2', steps));
      await comesToRest(journey, 'StepPause');
      expect(await kubectlSidestep(world.platform, 'promote', name, '--full')).toMatchObject({ code: 0 });
      await outcome.everyPodRuns(journey, 'v2');
      await world.patchSet(name, change('v1'));
      await outcome.everyPodRuns(journey, 'v1');
      await comesToRest(journey, 'RolloutComplete');
      await world.patchSet(name, change('v2', steps));
      await comesToRest(journey, 'StepPause');
      expect(world.set(name).metadata.annotations?.['sidestep.dev/promote']).toMatch(/:all$/);
      expect(versions(journey)).toEqual(['v1', 'v2']);
    },
    10 * MINUTES,
  );
});

test(
  'a pod that the selector chooses no more half way through is brought to its end, with one sidecar that works',
  async () => {
    const journey = await given.aHotSidecar(world, { pods: 1 });
    const { namespace } = journey;
    await when.pullsTake(journey, 'v2', 3_600);
    await when.theImageBecomes(journey, journey.mesh, 'v2');
    const pod = await when.aPodIs(journey, 'upgrading');
    const labels = { metadata: { labels: { app: 'somebody-elses' } } };
    await world.platform.api.patch(PODS, { namespace, name: pod }, labels, { type: 'merge' });
    const forgets = () => world.set(journey.mesh.name).status?.matchedPods === 0;
    await eventually(world, forgets, 'the planner to hear of the label');
    await when.pullsTake(journey, 'v2', 0);
    await outcome.everyPodRuns(journey, 'v2');
    const [after] = world.podsOf(namespace);
    expect(after!.metadata.labels).toMatchObject({ app: 'somebody-elses' });
    expect(after!.metadata.annotations?.[KRUISE.workingHotContainer]).toBe('{"mesh":"mesh-2"}');
    expect(sidecarImages(after!)).toEqual([EMPTY_IMAGE, image('v2')]);
  },
  10 * MINUTES,
);

test(
  'an empty image that cannot be pulled is told as a failure of the pod, which goes on once it is mended',
  async () => {
    const journey = await given.aHotSidecar(world, { pods: 1 });
    const { name } = journey.mesh;
    const emptyImage = `${SIDECAR}/upgradeStrategy/hotUpgradeEmptyImage`;
    await world.patchSet(name, [...change('v2'), { op: 'replace', path: emptyImage, value: 'empty:absent' }]);
    const failed = () => {
      const { status } = world.set(name);
      return status?.failedPods === 1 && status.conditions?.find(({ type }) => type === 'Degraded')?.status === 'True';
    };
    await eventually(world, failed, 'the pod to fail');
    const degraded = world.set(name).status?.conditions?.find(({ type }) => type === 'Degraded');
    expect(degraded?.message).toMatch(/container mesh-1 with image empty:absent is in (ErrImagePull|ImagePullBackOff)/);
    expect(versions(journey)).toEqual(['v2']);
    await world.patchSet(name, [{ op: 'replace', path: emptyImage, value: EMPTY_IMAGE }]);
    await outcome.everyPodRuns(journey, 'v2');
    await comesToRest(journey, 'RolloutComplete');
  },
  10 * MINUTES,
);

test(
  'while no planner has seen an edit, abort stops that very edit, and promote refuses to guess',
  async () => {
    const journey = await given.aHotSidecar(world, { pods: 2 });
    const { name } = journey.mesh;
    await comesToRest(journey, 'RolloutComplete');
    const planner = world.platform.service('planner');
    await planner.kill();
    await world.patchSet(name, change('v2', [{ pods: 1, pause: {} }]));
    const promoted = await kubectlSidestep(world.platform, 'promote', name);
    expect(promoted).toEqual({ code: 3, output: expect.stringContaining('the planner saw generation 1, this is 2') });
    expect(await kubectlSidestep(world.platform, 'abort', name)).toMatchObject({ code: 0 });
    await planner.start();
    await comesToRest(journey, 'AbortRequested');
    expect(versions(journey)).toEqual(['v1', 'v1']);
    expect(await kubectlSidestep(world.platform, 'retry', name)).toMatchObject({ code: 0 });
    await comesToRest(journey, 'StepPause');
    expect(versions(journey)).toEqual(['v1', 'v2']);
  },
  10 * MINUTES,
);
