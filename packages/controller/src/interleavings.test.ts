import { expect, test } from '@jest/globals';
import { KRUISE } from '@sidestep/core';
import fc from 'fast-check';
import { type Happening, MAX_UNAVAILABLE, PODS, Trial } from './testing/trial.js';

const happeningsOf = (maxLength: number, ...kinds: Happening['kind'][]): fc.Arbitrary<Happening[]> =>
  fc.array(fc.record({ kind: fc.constantFrom(...kinds), pick: fc.nat(1_000) }), { minLength: 20, maxLength });

/** At no time too many pods are begun; and once nothing happens any more, every pod becomes what it should be. */
const endsWell = async (happenings: readonly Happening[]): Promise<void> => {
  const trial = new Trial();
  await trial.begin();
  for (const one of happenings) {
    await trial.happen(one);
    expect(trial.open()).toBeLessThanOrEqual(MAX_UNAVAILABLE);
    expect(trial.begunInVain).toEqual([]);
  }
  await trial.calm();
  const wanted = trial.wanted();
  const image = wanted.spec.containers?.[0]?.image;
  for (const pod of trial.world.cluster.pods.values()) {
    const sidecars = pod.spec.containers.filter(({ name }) => name.startsWith('mesh')).map((one) => one.image);
    expect(sidecars.sort()).toEqual(['empty:v1', image].sort());
    const stamps = JSON.parse(pod.metadata.annotations?.[KRUISE.hash] ?? '{}') as Record<string, { hash: string }>;
    expect(stamps['mesh-set']?.hash).toBe(wanted.metadata.annotations?.[KRUISE.hash]);
  }
  expect(wanted.status).toMatchObject({ matchedPods: PODS, updatedReadyPods: PODS, upgradingPods: 0, failedPods: 0 });
};

test('whatever is run twice, late, out of order or never, every pod ends where the SidecarSet wants it', async () => {
  const happenings = happeningsOf(
    90,
    'run',
    'run',
    'run',
    'run-twice',
    'run-old',
    'run-old',
    'lose',
    'lose-all',
    'kubelet',
    'kubelet',
    'kubelet-fails',
    'app-unready',
    'app-unready',
    'news',
    'news',
    'news',
    'edit',
    'partition',
    'touch',
    'planner-dies',
    'worker-dies-after-write',
    'time',
  );
  await fc.assert(fc.asyncProperty(happenings, endsWell), { numRuns: 100 });
}, 300_000);

test('pods that become ready and unready before the planner hears of it are not begun beyond the budget, nor forgotten', async () => {
  const happenings = happeningsOf(
    50,
    'app-unready',
    'app-unready',
    'kubelet',
    'kubelet',
    'run',
    'run',
    'run-old',
    'lose',
    'news',
    'edit',
    'partition',
  );
  await fc.assert(fc.asyncProperty(happenings, endsWell), { numRuns: 40 });
}, 300_000);
