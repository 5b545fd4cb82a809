import { describe, expect, test } from '@jest/globals';
import { storedSet, withImages } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { KRUISE } from '../api/keys.js';
import type { SidecarSet } from '../api/sidecarset.js';

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
