import { describe, expect, test } from '@jest/globals';
import { coldSet, hotSet, storedSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import type { SidecarSet } from '../api/sidecarset.js';
import type { FullPod } from '../pod-upgrade/types.js';
import { upgradeTarget } from '../pod-upgrade/upgrade-target.js';
import { findUnpaid } from './begin-permit.js';

/** With a native sidecar that is upgraded in place, beside a cold one. */
const nativeSet: SidecarSet = {
  ...coldSet('log:v1', { nativeSidecars: 'InPlace' }),
  spec: {
    ...coldSet('log:v1', { nativeSidecars: 'InPlace' }).spec,
    initContainers: [{ name: 'proxy', image: 'proxy:v1', restartPolicy: 'Always' }],
  },
};

const SETS = { hot: hotSet(), cold: coldSet(), native: nativeSet };

type Sight = 'ready' | 'unready' | 'pending' | 'deleted' | 'open';

const seen = (kind: keyof typeof SETS, sight: Sight): FullPod => {
  const simulated = new SimulatedPod(SETS[kind]).wait(60);
  if (sight === 'unready') simulated.unready.add('app');
  if (sight === 'open') simulated.image({ mesh: 'mesh:v2' }).run('upgrade');
  const pod = simulated.report().pod as FullPod;
  if (sight === 'pending') pod.status = { ...pod.status, phase: 'Pending' };
  if (sight === 'deleted') pod.metadata = { ...pod.metadata, deletionTimestamp: '2026-03-01T12:00:00Z' };
  return pod;
};

const refusal = (kind: keyof typeof SETS, sight: Sight, pickedUnready: boolean | undefined): string | undefined =>
  findUnpaid(upgradeTarget(storedSet(SETS[kind], 7)), seen(kind, sight), pickedUnready)?.reason;

describe('a pod that was picked as not ready, and so for nothing, is refused', () => {
  test.each<[keyof typeof SETS, Sight, string | undefined]>([
    ['hot', 'ready', 'BecameReady'],
    ['cold', 'ready', 'BecameReady'],
    ['native', 'ready', 'BecameReady'],
    ['hot', 'unready', undefined],
    ['cold', 'unready', undefined],
    ['native', 'unready', undefined],
    ['hot', 'pending', undefined],
    ['hot', 'deleted', undefined],
    // Half way it holds a slot in any case, and two live sidecars are not Ready in OpenKruise's sense.
    ['hot', 'open', undefined],
  ])('%s and %s: %s', (kind, sight, reason) => {
    expect(refusal(kind, sight, true)).toBe(reason);
  });

  test.each<keyof typeof SETS>(['hot', 'cold', 'native'])('never when maxUnavailable was spent on it: %s', (kind) => {
    expect(refusal(kind, 'ready', undefined)).toBeUndefined();
    expect(refusal(kind, 'unready', undefined)).toBeUndefined();
  });
});
