/** Where OpenKruise 1.9 goes wrong on one pod: each test shows that its wrong outcome does not happen. */
import { describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { KRUISE, SIDESTEP } from '../api/keys.js';

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
