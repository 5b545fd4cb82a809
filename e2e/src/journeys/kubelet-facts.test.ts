// What a real kubelet does and OpenKruise does not reckon with, on a kubelet that does the same, with its back-off unshortened.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decidePodUpgrade, type FullPod, type Pod, SIDESTEP, type SidecarSet, upgradeTarget } from '@sidestep/core';
import { EMPTY_DIGEST, image, podOf, programsOf } from '../world/scenario.js';
import type { World } from '../world/world.js';
import { eventually, given, NODE, outcome, ROOT, tidyUp, when } from './journey.js';

const MINUTES = 60_000;
/** An upgrade that takes longer is aborted, and not begun again: a machine that stands still must not bring that about. */
const PATIENT_SECONDS = 300;
/** Two tags of one image: equal entries of the catalogue have one image id. */
const IDLE = { command: ['sleep', '3600'] };
const NEW_VERSIONS = Array.from({ length: 12 }, (_, index) => `n${index + 1}`);
const proxy = (version: string) => ({
  command: ['node', programsOf(ROOT).meshProxy],
  env: { MESH_VERSION: version },
});
const images = {
  ...Object.fromEntries(NEW_VERSIONS.map((version) => [image(version), proxy(version)])),
  'idle:1': IDLE,
  'cold:1': { ...IDLE, env: { A: 'b' } },
  'cold:one-again': { ...IDLE, env: { A: 'b' } },
};

let world: World;
beforeAll(async () => {
  world = await given.aPlatform({ kubeletArgs: [], images });
}, 5 * MINUTES);
afterAll(() => tidyUp(world), 5 * MINUTES);

const statusOf = (pod: Pod, container: string) => pod.status?.containerStatuses?.find(({ name }) => name === container);

const imageOf = ({ spec }: Pod): string | undefined => spec.containers.find(({ name }) => name === 'side')?.image;

describe('two tags of one image', () => {
  const coldSet: SidecarSet = {
    apiVersion: 'apps.kruise.io/v1beta1',
    kind: 'SidecarSet',
    metadata: { name: 'cold' },
    spec: {
      selector: { matchLabels: { app: 'cold' } },
      containers: [{ name: 'side', image: 'cold:1', imagePullPolicy: 'IfNotPresent' }],
      updateStrategy: { maxUnavailable: 1 },
    },
  };

  test(
    'an upgrade from one to the other ends, told by the container id alone, where OpenKruise waits for ever',
    async () => {
      await world.createNamespace('cold');
      await world.createSet(coldSet);
      const plain = podOf('pod-1', 'cold', 'cold', NODE);
      const container = { name: 'app', image: 'idle:1', imagePullPolicy: 'IfNotPresent' };
      await world.createPods([{ ...plain, spec: { ...plain.spec, containers: [container] } }], 2 * MINUTES);
      const pod = () => world.podsOf('cold')[0]!;
      const before = statusOf(pod(), 'side')!;
      await world.setImage('cold', 'cold:one-again');
      const isDone = () => {
        const { status, metadata } = world.set('cold');
        const said = status?.conditions?.find(({ type }) => type === 'Progressing')?.reason;
        // The cache may still hold what was true before the change.
        const isSeen = status?.observedGeneration === metadata.generation && imageOf(pod()) === 'cold:one-again';
        return isSeen && said === 'RolloutComplete' && status?.updatedReadyPods === 1;
      };
      await eventually(world, isDone, 'the rollout to be complete');
      const after = statusOf(pod(), 'side')!;
      expect(imageOf(pod())).toBe('cold:one-again');
      expect({ imageID: after.imageID, image: after.image }).toEqual({ imageID: before.imageID, image: before.image });
      expect(after.containerID).not.toBe(before.containerID);
    },
    5 * MINUTES,
  );
});

describe('a kubelet that would hold an image back which a container is given again and again', () => {
  /** Each use doubles the time for which the next one is held, so that it comes however slow the machine is. */
  const MOST_CHANGES = 12;

  const upgradeUntil = async (
    versions: readonly string[],
    isEnough: (reasons: ReadonlySet<string>, pod: Pod) => boolean,
  ): Promise<{ isSeen: boolean; held: string[] }> => {
    const journey = await given.aHotSidecar(world, { pods: 1, deadlineSeconds: PATIENT_SECONDS });
    const held: string[] = [];
    const end = world.onPod((pod) => {
      if (pod.metadata.namespace !== journey.namespace) return;
      for (const { name, state } of pod.status?.containerStatuses ?? [])
        if (state?.waiting?.reason === 'CrashLoopBackOff') held.push(name);
    });
    await given.load(journey, 50);
    let isSeen = false;
    for (let change = 0; change < MOST_CHANGES && !isSeen; change += 1) {
      const version = versions[change % versions.length]!;
      await when.theImageBecomes(journey, journey.mesh, version);
      const reasons = await outcome.everyPodRuns(journey, version, journey.mesh, 6 * MINUTES);
      isSeen = isEnough(reasons, world.podsOf(journey.namespace)[0]!);
    }
    end();
    await outcome.nothingWasLost(journey);
    return { isSeen, held };
  };

  test(
    'two images in turn: Sidestep foresees it and waits with a pod that serves, where OpenKruise loses the pod',
    async () => {
      const seen = await upgradeUntil(['v2', 'v1'], (reasons) => reasons.has('BackOffExpected'));
      expect(seen).toEqual({ isSeen: true, held: [] });
    },
    20 * MINUTES,
  );

  test(
    'ever new images: the empty image between them gets a tag of its own, and nobody waits for it',
    async () => {
      const isTagged = ({ spec }: Pod): boolean =>
        spec.containers.some(({ image = '' }) => /-g\d+@sha256:/.test(image) && image.endsWith(EMPTY_DIGEST));
      const seen = await upgradeUntil(NEW_VERSIONS, (_, pod) => isTagged(pod));
      expect(seen).toEqual({ isSeen: true, held: [] });
    },
    20 * MINUTES,
  );
});

describe('a new version that crashes, tried again', () => {
  const MOST_TRIES = 8;

  const recordOf = (namespace: string, set: string): { phase?: string; attempt?: number } =>
    JSON.parse(world.podsOf(namespace)[0]!.metadata.annotations?.[SIDESTEP.upgrade] ?? '{}')[set] ?? {};

  test(
    'goes back at once each time; a try that the kubelet would hold back waits, says until when, and is then made',
    async () => {
      const journey = await given.aHotSidecar(world, { pods: 1, deadlineSeconds: PATIENT_SECONDS });
      const { namespace, mesh } = journey;
      const pod = () => world.podsOf(namespace)[0]!;
      const { containerID } = statusOf(pod(), 'mesh-1')!;
      const failedTry = (attempt: number) => () => {
        const record = recordOf(namespace, mesh.name);
        return record.phase === 'Failed' && record.attempt === attempt;
      };
      const wait = () =>
        decidePodUpgrade({ target: upgradeTarget(world.set(mesh.name)), pod: pod() as FullPod, now: new Date() });
      await given.load(journey, 50);
      await when.theImageBecomes(journey, mesh, 'v2-crashes-before');
      await eventually(world, failedTry(1), 'the first try to fail');
      let told: string | undefined;
      for (let attempt = 2; told === undefined && attempt <= MOST_TRIES; attempt += 1) {
        await when.itIsTriedAgain(journey, `try ${attempt}`);
        await eventually(
          world,
          () => {
            const { reason, message } = wait();
            if (reason === 'BackOffExpected') told ??= message;
            return failedTry(attempt)();
          },
          `try ${attempt} to fail`,
        );
      }
      expect(told).toMatch(/ back; waits until \d{4}-\d\d-\d\dT[\d:.]+Z$/);
      expect(statusOf(pod(), 'mesh-1')).toMatchObject({ containerID, ready: true });
      await when.theImageBecomes(journey, mesh, 'v3');
      await outcome.everyPodRuns(journey, 'v3');
      await outcome.nothingWasLost(journey);
    },
    20 * MINUTES,
  );
});
