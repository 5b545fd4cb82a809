import { describe, expect, test } from '@jest/globals';
import { coldSet, hotSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { KRUISE, SIDESTEP } from '../api/keys.js';

/** An injected pod on v1 with the SidecarSet edited to v2. */
const onTheWay = (strategy = {}, image = 'mesh:v2') =>
  new SimulatedPod(hotSet('mesh:v1', strategy)).wait(3600).image({ mesh: image });

const record = (pod: SimulatedPod) => JSON.parse(pod.annotation(SIDESTEP.upgrade) ?? '{}')['mesh-set'];
const versions = (pod: SimulatedPod) =>
  ['mesh-1', 'mesh-2'].map((name) => [
    pod.annotation(`${KRUISE.versionPrefix}${name}`),
    pod.annotation(`${KRUISE.versionAltPrefix}${name}`),
  ]);

describe('a hot upgrade that goes well', () => {
  test('takes two writes: the new image, and the empty image for the old container', () => {
    const pod = onTheWay();
    expect(pod.look()).toMatchObject({ state: 'Idle', due: 'upgrade', reason: 'AwaitingSelection' });
    pod.run('upgrade');
    expect(pod.look()).toMatchObject({ state: 'Upgrading', due: 'migration', reason: 'ContainerStarting' });
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Migrated', due: 'reset' });
    pod.run('reset');
    expect(pod.look()).toMatchObject({ state: 'Resetting', due: 'none', reason: 'EmptyImageStarting' });
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Idle', due: 'none', reason: 'UpToDate' });
    expect(pod.images()).toEqual({ 'mesh-1': 'mesh:empty', 'mesh-2': 'mesh:v2', app: 'app:1' });
    expect(pod.pointer()).toBe('mesh-2');
    expect(pod.stamp().hash).toBe(pod.targetHash);
  });

  test('patches nothing but images and annotations, locked to the resourceVersion that was read', () => {
    const pod = onTheWay();
    const { patch } = pod.look();
    expect(patch?.[0]).toEqual({
      op: 'replace',
      path: '/metadata/resourceVersion',
      value: pod.pod.metadata.resourceVersion,
    });
    for (const { path } of patch?.slice(1) ?? [])
      expect(path).toMatch(/^\/(spec\/containers\/1\/image|metadata\/annotations\/)/);
  });

  test('is not taken for done while the kubelet still reports the container that was there before', () => {
    const pod = onTheWay();
    pod.run('upgrade');
    pod.act();
    expect(pod.look()).toMatchObject({ state: 'Upgrading', due: 'migration' });
    pod.report();
    expect(pod.look().state).toBe('Migrated');
  });

  test('says in the pod what is going on', () => {
    const pod = onTheWay();
    pod.run('upgrade');
    expect(record(pod)).toMatchObject({
      phase: 'Upgrading',
      attempt: 1,
      revision: pod.targetHash,
      begun: pod.clock.toISOString(),
    });
    expect(record(pod).from).toMatch(/^r-/);
    expect(record(pod).to).toBe(pod.set.status?.latestRevision);
  });

  test('needs the record for nothing: without it the pod is read the same', () => {
    const pod = onTheWay();
    const forget = () => {
      const { [SIDESTEP.upgrade]: _, ...annotations } = pod.pod.metadata.annotations ?? {};
      pod.pod.metadata = { ...pod.pod.metadata, annotations };
    };
    pod.run('upgrade');
    forget();
    expect(pod.look().state).toBe('Upgrading');
    pod.wait(2).kubelet();
    expect(pod.look().state).toBe('Migrated');
    pod.run('reset');
    forget();
    expect(pod.look().state).toBe('Resetting');
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Idle', reason: 'UpToDate' });
  });
});

describe('versions', () => {
  test('are the resourceVersion of the SidecarSet, and the old one keeps its own', () => {
    const pod = onTheWay();
    pod.run('upgrade');
    const rv = pod.set.metadata.resourceVersion;
    expect(versions(pod)).toEqual([
      ['1', rv],
      [rv, '1'],
    ]);
  });

  test.each([
    ['with the record of the upgrade before', (): void => undefined],
    [
      'without one, as in a pod that OpenKruise upgraded',
      (pod: ReturnType<typeof onTheWay>): void => {
        const { [SIDESTEP.upgrade]: _, ...annotations } = pod.pod.metadata.annotations ?? {};
        pod.pod.metadata = { ...pod.pod.metadata, annotations };
      },
    ],
  ])('rise even when the resourceVersion went down, as after an etcd restore, %s', (_, prepare) => {
    const pod = onTheWay();
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('reset');
    pod.wait(700).kubelet();
    const before = BigInt(versions(pod)[1]?.[0] ?? 0);
    prepare(pod);
    pod.image({ mesh: 'mesh:v3' });
    pod.set.metadata.resourceVersion = '5';
    pod.run('upgrade');
    expect(BigInt(versions(pod)[0]?.[0] ?? 0)).toBe(before + 1n);
  });

  test('of a second attempt are higher than those of the first', () => {
    const pod = onTheWay({ failurePolicy: {} }, 'mesh:nopull');
    pod.run('upgrade');
    const first = BigInt(versions(pod)[1]?.[0] ?? 0);
    pod.wait(2).kubelet();
    pod.run('abort');
    pod.wait(700).kubelet();
    pod.set.metadata.annotations = { ...pod.set.metadata.annotations, [SIDESTEP.retry]: 'once more' };
    expect(pod.run('upgrade').attempt).toBe(2);
    expect(BigInt(versions(pod)[1]?.[0] ?? 0)).toBeGreaterThan(first);
  });
});

describe('a plain sidecar', () => {
  const cold = (image = 'log:v2', strategy = {}) =>
    new SimulatedPod(coldSet('log:v1', strategy)).wait(3600).image({ log: image });

  test('is upgraded in one write', () => {
    const pod = cold();
    pod.run('upgrade');
    expect(pod.look()).toMatchObject({ state: 'Upgrading', due: 'none' });
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Idle', reason: 'UpToDate' });
  });

  test('that fails is never aborted: only hot pods can go back without a restart', () => {
    const pod = cold('log:crash', { failurePolicy: {} });
    pod.run('upgrade');
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Failed', due: 'none', reason: 'CrashLoop', container: 'log' });
    pod.image({ log: 'log:v1' });
    expect(pod.look()).toMatchObject({ due: 'upgrade' });
  });

  test('that crashes long after it was upgraded well is no failed upgrade', () => {
    const pod = cold();
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.wait(86_400).report();
    const status = pod.pod.status?.containerStatuses?.find(({ name }) => name === 'log');
    Object.assign(status ?? {}, { ready: false, state: { waiting: { reason: 'CrashLoopBackOff' } } });
    const condition = pod.pod.status?.conditions?.find(({ type }) => type === 'Ready');
    Object.assign(condition ?? {}, { status: 'False', lastTransitionTime: pod.clock.toISOString() });
    expect(pod.look().state).not.toBe('Failed');
  });
});
