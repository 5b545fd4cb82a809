/** The cases in which OpenKruise 1.9 goes wrong on one pod: each test shows that its wrong outcome does not happen. */
import { describe, expect, test } from '@jest/globals';
import { coldSet, hotSet, SimulatedPod, storedSet, withImages } from '../../testing/simulated-pod.js';
import { KRUISE, SIDESTEP } from '../api/keys.js';
import type { ControllerRevision } from '../api/kubernetes.js';
import type { SidecarSet } from '../api/sidecarset.js';
import { decidePodUpgrade } from './decide-pod-upgrade.js';
import { upgradeTarget } from './upgrade-target.js';

const begun = (image: string, strategy = {}) => {
  const pod = new SimulatedPod(hotSet('mesh:v1', strategy)).wait(3600).image({ mesh: image });
  pod.run('upgrade');
  pod.wait(2).kubelet();
  return pod;
};

/** What OpenKruise leaves behind: no record of ours. */
function forget(pod: SimulatedPod): SimulatedPod {
  const { [SIDESTEP.upgrade]: _, ...annotations } = pod.pod.metadata.annotations ?? {};
  pod.pod.metadata = { ...pod.pod.metadata, annotations };
  return pod;
}

describe('the spec goes back to the old image', () => {
  test.each(['mesh:nopull', 'mesh:crash', 'mesh:hookfails', 'mesh:unready'])(
    'while %s fails: the pod is aborted, not stamped as updated with the bad image still in it',
    (image) => {
      const pod = begun(image).wait(20);
      pod.image({ mesh: 'mesh:v1' });
      expect(pod.look()).toMatchObject({ due: 'abort', reason: 'SpecWentBack' });
      pod.run('abort');
      pod.wait(2).kubelet();
      expect(pod.images()).toMatchObject({ 'mesh-1': 'mesh:v1', 'mesh-2': 'mesh:empty' });
      expect(pod.pointer()).toBe('mesh-1');
      expect(pod.stamp().hash).toBe(pod.targetHash);
      expect(pod.restartsOf('mesh-1')).toBe(0);
      expect(pod.look()).toMatchObject({ state: 'Idle', reason: 'UpToDate' });
    },
  );

  test('and a pod that OpenKruise stamped as updated in that state is repaired', () => {
    const pod = begun('mesh:nopull').image({ mesh: 'mesh:v1' });
    const map = JSON.parse(pod.annotation(KRUISE.hash) ?? '{}');
    map['mesh-set'].hash = pod.targetHash;
    pod.pod.metadata.annotations = { ...pod.pod.metadata.annotations, [KRUISE.hash]: JSON.stringify(map) };
    forget(pod);
    expect(pod.stamp().hash).toBe(pod.targetHash);
    expect(pod.look()).toMatchObject({ due: 'abort', reason: 'SpecWentBack' });
    pod.run('abort');
    pod.wait(2).kubelet();
    expect(pod.images()).toMatchObject({ 'mesh-1': 'mesh:v1', 'mesh-2': 'mesh:empty' });
  });

  test('after the bad version came up under a stamp of the good one: the pod is upgraded back, not reported as good', () => {
    const pod = begun('mesh:v2');
    pod.image({ mesh: 'mesh:v1' });
    const map = JSON.parse(pod.annotation(KRUISE.hash) ?? '{}');
    map['mesh-set'].hash = pod.targetHash;
    pod.pod.metadata.annotations = { ...pod.pod.metadata.annotations, [KRUISE.hash]: JSON.stringify(map) };
    forget(pod);
    pod.run('reset');
    pod.wait(700).kubelet();
    forget(pod);
    expect(pod.stamp().hash).toBe(pod.targetHash);
    pod.run('upgrade');
    pod.wait(2).kubelet();
    expect(pod.running(pod.pointer())).toBe('mesh:v1');
  });

  test('after the new container took over: it is finished first, then upgraded to the old image as a newer version', () => {
    const pod = begun('mesh:v2').image({ mesh: 'mesh:v1' });
    expect(pod.owners.get('mesh')).toBe('mesh-2');
    expect(pod.look()).toMatchObject({ state: 'Migrated', due: 'reset' });
    pod.run('reset');
    expect(pod.pointer()).toBe('mesh-2');
    pod.wait(700).kubelet();
    const before = BigInt(pod.annotation(`${KRUISE.versionPrefix}mesh-2`) ?? 0);
    pod.run('upgrade');
    expect(pod.pointer()).toBe('mesh-1');
    expect(BigInt(pod.annotation(`${KRUISE.versionPrefix}mesh-1`) ?? 0)).toBeGreaterThan(before);
    pod.wait(2).kubelet();
    pod.run('reset');
    pod.wait(2).kubelet();
    expect(pod.running('mesh-1')).toBe('mesh:v1');
    expect(pod.look().reason).toBe('UpToDate');
  });

  test('in the moment in which the new container has the sockets but no Ready yet: it gets ten seconds before it is ended', () => {
    const pod = begun('mesh:unready').image({ mesh: 'mesh:v1' });
    expect(pod.look()).toMatchObject({ due: 'migration' });
    expect(pod.look().retryAfterMs).toBeGreaterThan(0);
    pod.wait(11);
    expect(pod.look()).toMatchObject({ due: 'abort', reason: 'SpecWentBack' });
  });
});

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

describe('an unrelated container is unready', () => {
  test('and was so before the upgrade began: the reset does not wait for it', () => {
    const pod = new SimulatedPod(hotSet());
    pod.unready.add('app');
    pod.wait(3600).report().image({ mesh: 'mesh:v2' });
    pod.run('upgrade');
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Migrated', due: 'reset' });
  });

  test('and became so since: the old sidecar stays, and the reason names the container', () => {
    const pod = begun('mesh:v2');
    pod.unready.add('app');
    pod.report();
    expect(pod.look()).toMatchObject({
      state: 'Upgrading',
      due: 'migration',
      reason: 'ContainerNotReady',
      container: 'app',
    });
    pod.unready.clear();
    pod.report();
    expect(pod.look().due).toBe('reset');
  });

  test('the new container itself must become ready, whatever it was before', () => {
    const pod = new SimulatedPod(hotSet()).wait(3600);
    pod.unready.add('mesh-2');
    pod.report().image({ mesh: 'mesh:v2' });
    pod.run('upgrade');
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Upgrading', reason: 'ContainerStarting', container: 'mesh-2' });
  });
});

describe('the SidecarSet is paused', () => {
  test('pods half way are finished', () => {
    const pod = begun('mesh:v2').strategy({ paused: true });
    pod.run('reset');
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Idle', reason: 'UpToDate' });
  });

  test('no pod is begun, nor redirected to another revision', () => {
    const idle = new SimulatedPod(hotSet()).image({ mesh: 'mesh:v2' }).strategy({ paused: true });
    expect(idle.look()).toMatchObject({ due: 'none', reason: 'Paused' });
    const half = begun('mesh:slow').image({ mesh: 'mesh:v3' }).strategy({ paused: true });
    expect(half.look()).toMatchObject({ state: 'Upgrading', due: 'migration' });
  });

  test('a pod half way whose spec went back is still taken back', () => {
    const pod = begun('mesh:crash').image({ mesh: 'mesh:v1' }).strategy({ paused: true });
    expect(pod.look()).toMatchObject({ due: 'abort', reason: 'SpecWentBack' });
  });
});

describe('the spec goes on to a third image', () => {
  test('while the second one fails: the same container gets the third one, and the old one serves on', () => {
    const pod = begun('mesh:nopull').image({ mesh: 'mesh:v3' });
    expect(pod.look()).toMatchObject({ due: 'upgrade', reason: 'Superseded' });
    pod.run('upgrade');
    pod.wait(2).kubelet();
    expect(pod.images()).toMatchObject({ 'mesh-1': 'mesh:v1', 'mesh-2': 'mesh:v3' });
    expect(pod.restartsOf('mesh-1')).toBe(0);
    pod.run('reset');
    pod.wait(2).kubelet();
    expect(pod.look().reason).toBe('UpToDate');
  });

  test('while the second one serves but the app is unready: the third one takes the place of the first, and the second serves on', () => {
    const pod = begun('mesh:v2');
    pod.unready.add('app');
    pod.report().image({ mesh: 'mesh:v3' });
    pod.run('upgrade');
    expect(pod.images()).toMatchObject({ 'mesh-1': 'mesh:v3', 'mesh-2': 'mesh:v2' });
    expect(pod.pointer()).toBe('mesh-1');
    pod.wait(2).kubelet();
    expect(pod.restartsOf('mesh-2')).toBe(1);
    expect(pod.owners.get('mesh')).toBe('mesh-1');
  });

  test('the same, and the third one fails: the abort goes back to the second revision, which serves', () => {
    const pod = begun('mesh:v2', { failurePolicy: {} });
    const second = pod.stamp();
    pod.unready.add('app');
    pod.report().image({ mesh: 'mesh:crash' });
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('abort');
    expect(pod.stamp()).toMatchObject({ hash: second.hash, controllerRevision: second.controllerRevision });
    expect(pod.images()).toMatchObject({ 'mesh-1': 'mesh:empty', 'mesh-2': 'mesh:v2' });
  });

  test('and fails as well: the abort goes back to the revision that the old container runs', () => {
    const pod = new SimulatedPod(hotSet('mesh:v1', { failurePolicy: { podAction: 'Keep' } })).wait(3600);
    const first = pod.stamp();
    pod.image({ mesh: 'mesh:nopull' });
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.strategy({ failurePolicy: {} }).image({ mesh: 'mesh:crash' });
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('abort');
    expect(pod.stamp()).toMatchObject({ hash: first.hash, controllerRevision: first.controllerRevision });
  });
});

describe('several sidecars of one set', () => {
  const set: SidecarSet = {
    metadata: { name: 'two' },
    spec: {
      selector: { matchLabels: { app: 'shop' } },
      containers: [
        {
          name: 'mesh',
          image: 'mesh:v1',
          upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'mesh:empty' },
        },
        {
          name: 'dns',
          image: 'dns:v1',
          upgradeStrategy: { upgradeType: 'HotUpgrade', hotUpgradeEmptyImage: 'dns:empty' },
        },
        { name: 'log', image: 'log:v1' },
      ],
      updateStrategy: { failurePolicy: {} },
    },
  };
  const twoBegun = (images: Record<string, string>) => {
    const pod = new SimulatedPod(set).wait(3600).image(images);
    pod.run('upgrade');
    pod.wait(2).kubelet();
    return pod;
  };

  test('go through each phase together', () => {
    const pod = twoBegun({ mesh: 'mesh:v2', dns: 'dns:v2', log: 'log:v2' });
    pod.run('reset');
    pod.wait(2).kubelet();
    expect(pod.images()).toEqual({
      'mesh-1': 'mesh:empty',
      'mesh-2': 'mesh:v2',
      'dns-1': 'dns:empty',
      'dns-2': 'dns:v2',
      log: 'log:v2',
      app: 'app:1',
    });
  });

  test('the one that is not changed is left alone', () => {
    const pod = twoBegun({ dns: 'dns:v2' });
    pod.run('reset');
    pod.wait(2).kubelet();
    expect(pod.restartsOf('mesh-1') + pod.restartsOf('mesh-2') + pod.restartsOf('log')).toBe(0);
    expect(pod.pointer('mesh')).toBe('mesh-1');
  });

  test('one fails after another took over: the one that took over is finished and never loses its sockets', () => {
    const pod = twoBegun({ mesh: 'mesh:v2', dns: 'dns:crash', log: 'log:v2' });
    expect(pod.owners.get('mesh')).toBe('mesh-2');
    pod.run('abort');
    expect(pod.pointer('mesh')).toBe('mesh-2');
    expect(pod.pointer('dns')).toBe('dns-1');
    pod.wait(2).kubelet();
    expect(pod.owners.get('mesh')).toBe('mesh-2');
    expect(pod.owners.get('dns')).toBe('dns-1');
    expect(pod.images()).toMatchObject({ 'mesh-1': 'mesh:empty', 'dns-2': 'dns:empty', log: 'log:v1' });
    const mixed = withImages(pod.set, { mesh: 'mesh:v2', dns: 'dns:v1', log: 'log:v1' });
    expect(pod.stamp().hash).toBe(storedSet(mixed, 1).metadata.annotations?.[KRUISE.hash]);
    expect(pod.look()).toMatchObject({ due: 'none', reason: 'FailedBefore' });
  });

  test('after that, going back to the first revision upgrades what took over as a newer version', () => {
    const pod = twoBegun({ mesh: 'mesh:v2', dns: 'dns:crash' });
    pod.run('abort');
    pod.wait(700).kubelet();
    pod.image({ mesh: 'mesh:v1', dns: 'dns:v1' });
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('reset');
    pod.wait(2).kubelet();
    expect(pod.look().reason).toBe('UpToDate');
    expect(pod.running(pod.pointer('mesh'))).toBe('mesh:v1');
  });
});

describe('what Sidestep adds but does not force on a pod', () => {
  test('NotUpdate: no pod is begun, pods half way are finished', () => {
    const pod = begun('mesh:v2').strategy({ type: 'NotUpdate' });
    pod.run('reset');
    const idle = new SimulatedPod(coldSet()).image({ log: 'log:v2' }).strategy({ type: 'NotUpdate' });
    expect(idle.look()).toMatchObject({ due: 'none', reason: 'NotUpdateStrategy' });
  });

  test('a mutating webhook that rewrites images does not make a pod be upgraded for ever', () => {
    const pod = new SimulatedPod(hotSet()).wait(3600).image({ mesh: 'mesh:v2' });
    pod.run('upgrade');
    pod.pod.spec.containers[1] = { name: 'mesh-2', image: 'mirror/mesh:v2' };
    pod.wait(2).kubelet();
    pod.run('reset');
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Idle', reason: 'UpToDate' });
  });
});
