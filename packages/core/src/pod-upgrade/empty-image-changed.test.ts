/** Where OpenKruise 1.9 goes wrong on one pod: each test shows that its wrong outcome does not happen. */
import { describe, expect, test } from '@jest/globals';
import { hotSet, withImages } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { KRUISE } from '../api/keys.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { decidePodUpgrade } from './decide-pod-upgrade.js';
import { upgradeTarget } from './upgrade-target.js';

describe('hotUpgradeEmptyImage is changed', () => {
  const newEmpty = (set: SidecarSet): SidecarSet => ({
    ...set,
    spec: {
      ...set.spec,
      containers: (set.spec.containers ?? []).map((container) => ({
        ...container,
        upgradeStrategy: { ...container.upgradeStrategy, hotUpgradeEmptyImage: 'mesh:empty-2' },
      })),
    },
  });

  test('the pod is not emptied at once: it is idle and waits to be picked', () => {
    const pod = new SimulatedPod(hotSet()).wait(3600).edit(newEmpty);
    expect(pod.look()).toMatchObject({ state: 'Idle', due: 'upgrade', reason: 'AwaitingSelection' });
  });

  test('once picked, only the stand-by changes, both hashes are stamped, and the pod stays upgradable', () => {
    const pod = new SimulatedPod(hotSet()).wait(3600).edit(newEmpty);
    pod.run('upgrade');
    expect(pod.images()).toEqual({ 'mesh-1': 'mesh:v1', 'mesh-2': 'mesh:empty-2', app: 'app:1' });
    expect(pod.pointer()).toBe('mesh-1');
    const withoutImage = JSON.parse(pod.annotation(KRUISE.hashWithoutImage) ?? '{}')['mesh-set'].hash;
    expect(withoutImage).toBe(pod.set.metadata.annotations?.[KRUISE.hashWithoutImage]);
    pod.wait(2).kubelet();
    expect(pod.restartsOf('mesh-1')).toBe(0);
    expect(pod.look()).toMatchObject({ state: 'Idle', reason: 'UpToDate' });
    pod.image({ mesh: 'mesh:v2' });
    expect(pod.look().due).toBe('upgrade');
  });

  test('together with the image: the new one goes to the stand-by, the new empty image to the old container', () => {
    const pod = new SimulatedPod(hotSet())
      .wait(3600)
      .edit(newEmpty)
      .edit((set) => withImages(set, { mesh: 'mesh:v2' }));
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('reset');
    pod.wait(2).kubelet();
    expect(pod.images()).toEqual({ 'mesh-1': 'mesh:empty-2', 'mesh-2': 'mesh:v2', app: 'app:1' });
    expect(pod.look().reason).toBe('UpToDate');
  });

  test('pods that OpenKruise emptied that way and gave up are upgradable by their ControllerRevision', () => {
    const pod = new SimulatedPod(hotSet()).wait(3600);
    const old = pod.set;
    pod.edit(newEmpty);
    pod.pod.spec.containers[1] = { name: 'mesh-2', image: 'mesh:empty-2' };
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ due: 'none', reason: 'UpdateImmutableField' });
    const revision: ControllerRevision = {
      metadata: { name: 'r-old', annotations: old.metadata.annotations ?? {} },
      data: { spec: { $patch: 'replace', ...old.spec, initContainers: null } },
      revision: 1,
    };
    const target = upgradeTarget(pod.set, [revision]);
    expect(decidePodUpgrade({ target, pod: pod.pod, now: pod.clock })).toMatchObject({ due: 'upgrade' });
  });

  test('any other field stays out of reach of a running pod', () => {
    const pod = new SimulatedPod(hotSet()).edit((set) => ({
      ...set,
      spec: {
        ...set.spec,
        containers: (set.spec.containers ?? []).map((each) => ({ ...each, env: [{ name: 'A', value: '1' }] })),
      },
    }));
    expect(pod.look()).toMatchObject({ due: 'none', reason: 'UpdateImmutableField' });
  });
});
