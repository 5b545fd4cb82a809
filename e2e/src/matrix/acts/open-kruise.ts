// What OpenKruise's controller writes, done in its place.
import {
  decidePodUpgrade,
  type FullPod,
  SIDESTEP,
  type SidecarSet,
  type UpgradePhase,
  upgradeTarget,
} from '@sidestep/core';
import type { KubeObject } from '@sidestep/kube';
import { PODS, SIDECARSETS } from '../../world/resources.js';
import { type Act, act } from '../row.js';

/** Keys that only Sidestep writes. */
const isOurs = (path: string): boolean => path === `/metadata/annotations/${SIDESTEP.upgrade.replaceAll('/', '~1')}`;

/**
 * OpenKruise 1.9 makes the same writes for the upgrade and the reset of a pod; recorded ones are replayed against core. What it
 * does not write is Sidestep's own record.
 */
export const openKruiseWrites = (phase: UpgradePhase): Act =>
  act(`OpenKruise writes the ${phase} of the pod`, async (stage) => {
    const { api } = stage.world.platform;
    const ref = { namespace: stage.namespace, name: stage.subject };
    await stage.until(async () => {
      const [sidecarSet, pod] = await Promise.all([
        api.get<KubeObject & SidecarSet>(SIDECARSETS, { name: stage.mesh.name }),
        api.get<KubeObject & FullPod>(PODS, ref),
      ]);
      const decision = decidePodUpgrade({ target: upgradeTarget(sidecarSet), pod, now: new Date() });
      if (decision.due !== phase || decision.patch === undefined) return undefined;
      const patch = decision.patch.filter(({ path }) => !isOurs(path));
      await api.patch(PODS, ref, patch, { type: 'json' });
      return true;
    }, `the ${phase} to be due`);
  });
