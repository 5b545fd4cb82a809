/** Where OpenKruise 1.9 goes wrong on one pod: each test shows that its wrong outcome does not happen. */
import { describe, expect, test } from '@jest/globals';
import { coldSet, hotSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';

const begun = (image: string, strategy = {}) => {
  const pod = new SimulatedPod(hotSet('mesh:v1', strategy)).wait(3600).image({ mesh: image });
  pod.run('upgrade');
  pod.wait(2).kubelet();
  return pod;
};

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
    pod.image({ mesh: 'mesh:crash' });
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.strategy({ failurePolicy: {} }).run('abort');
    expect(pod.stamp()).toMatchObject({ hash: first.hash, controllerRevision: first.controllerRevision });
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
