import { describe, expect, test } from '@jest/globals';
import { coldSet, hotSet, SimulatedPod } from '../../testing/simulated-pod.js';
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

  test('rise even when the resourceVersion went down, as after an etcd restore', () => {
    const pod = onTheWay();
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('reset');
    pod.wait(700).kubelet();
    const before = BigInt(versions(pod)[1]?.[0] ?? 0);
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

describe('completion', () => {
  test('two tags of one image: OpenKruise waits for ever, the container id tells that it is done', () => {
    const pod = onTheWay();
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('reset');
    pod.wait(700).kubelet();
    pod.image({ mesh: 'mesh:v2-alias' });
    pod.run('upgrade');
    pod.wait(2).kubelet();
    // As the CRI answers: any tag of the id, and the id is the one it had.
    const status = pod.pod.status?.containerStatuses?.find(({ name }) => name === 'mesh-1');
    Object.assign(status ?? {}, { image: 'mesh:empty', imageID: record(pod) && inPlaceImageID(pod, 'mesh-1') });
    expect(pod.look()).toMatchObject({ state: 'Migrated', due: 'reset' });
  });

  test('a container that crashed just before the write, with its old image, is not taken for the new one', () => {
    const pod = onTheWay();
    const stale = structuredClone(pod.pod);
    pod.wait(1).crash('mesh-2');
    const crashed = pod.pod.status;
    pod.pod = stale;
    pod.wait(1).run('upgrade');
    pod.pod = { ...pod.pod, ...(crashed === undefined ? {} : { status: crashed }) };
    expect(pod.look()).toMatchObject({ state: 'Upgrading', due: 'migration' });
    pod.wait(40);
    expect(pod.look().state).toBe('Migrated');
  });

  test('a change that is taken back before the kubelet saw it restarts nothing, and is done', () => {
    const pod = onTheWay({}, 'mesh:nopull');
    pod.run('upgrade');
    const status = inStatus(pod, 'mesh-2');
    Object.assign(status, { ready: false });
    pod.image({ mesh: 'mesh:v1' });
    pod.run('abort');
    pod.wait(2).kubelet();
    expect(pod.restartsOf('mesh-2')).toBe(0);
    expect(pod.look()).toMatchObject({ state: 'Idle', reason: 'UpToDate' });
  });

  test('the entry of an earlier write says nothing about a change that OpenKruise made since', () => {
    const pod = onTheWay();
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('reset');
    pod.wait(700).kubelet();
    // OpenKruise takes mesh-2 through empty and back to v2 with another version.
    const annotations = { ...pod.pod.metadata.annotations };
    annotations[`${KRUISE.versionPrefix}mesh-2`] = '99999';
    const state = JSON.parse(annotations[KRUISE.inPlaceUpdateState] ?? '{}');
    state['mesh-set'].lastContainerStatuses['mesh-2'] = { imageID: inStatus(pod, 'mesh-2').imageID };
    annotations[KRUISE.inPlaceUpdateState] = JSON.stringify(state);
    pod.pod.metadata = { ...pod.pod.metadata, annotations };
    inStatus(pod, 'mesh-2').image = 'mesh:empty';
    pod.image({ mesh: 'mesh:v3' });
    expect(pod.look()).toMatchObject({ due: 'none', reason: 'KubeletCatchingUp' });
  });
});

const inStatus = (pod: SimulatedPod, name: string) => {
  const status = pod.pod.status?.containerStatuses?.find((each) => each.name === name);
  if (status === undefined) throw new Error(`no status of ${name}`);
  return status;
};

const inPlaceImageID = (pod: SimulatedPod, name: string): string =>
  JSON.parse(pod.annotation(KRUISE.inPlaceUpdateState) ?? '{}')['mesh-set'].lastContainerStatuses[name].imageID;

describe('failure', () => {
  test.each([
    ['mesh:nopull', 'ImagePullFailed'],
    ['mesh:crash', 'CrashLoop'],
    ['mesh:hookfails', 'PostStartHookFailed'],
  ])('%s is told as %s, with the container and what the kubelet says', (image, reason) => {
    const pod = onTheWay({}, image);
    pod.run('upgrade');
    pod.wait(2).kubelet();
    const decision = pod.look();
    expect(decision).toMatchObject({ state: 'Failed', due: 'migration', reason, container: 'mesh-2' });
    expect(decision.message).toContain(image);
    expect(decision.events).toEqual([expect.objectContaining({ type: 'Warning', reason: 'SidecarUpgradeFailed' })]);
  });

  test('without a failurePolicy a failed pod waits, as in OpenKruise, and is done when the image can be had after all', () => {
    const pod = onTheWay({}, 'mesh:nopull');
    pod.run('upgrade');
    pod.wait(600).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Failed', due: 'migration' });
    expect(pod.owners.get('mesh')).toBe('mesh-1');
  });

  test('progressDeadlineSeconds makes a pod that hangs fail, and the decision says when to look again', () => {
    const pod = onTheWay({ progressDeadlineSeconds: 60 }, 'mesh:slow');
    pod.run('upgrade');
    pod.wait(35).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Upgrading', retryAfterMs: 25_000 });
    pod.wait(25);
    expect(pod.look()).toMatchObject({ state: 'Failed', reason: 'DeadlineExceeded' });
  });

  test('a pod that hangs has no deadline unless one is set', () => {
    const pod = onTheWay({}, 'mesh:slow');
    pod.run('upgrade');
    pod.wait(100_000).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Upgrading', due: 'migration' });
    expect(pod.look().retryAfterMs).toBeUndefined();
  });

  test('with podAction Keep the failed pod stays as it is', () => {
    const pod = onTheWay({ failurePolicy: { podAction: 'Keep' } }, 'mesh:crash');
    pod.run('upgrade');
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Failed', due: 'migration' });
  });
});

describe('abort', () => {
  test('takes the pod back in one write and does not touch the old container', () => {
    const pod = onTheWay({ failurePolicy: {} }, 'mesh:crash');
    const before = pod.stamp();
    pod.run('upgrade');
    pod.wait(2).kubelet();
    const { events } = pod.run('abort');
    expect(events).toEqual([expect.objectContaining({ type: 'Warning', reason: 'SidecarUpgradeAborted' })]);
    pod.wait(2).kubelet();
    expect(pod.images()).toEqual({ 'mesh-1': 'mesh:v1', 'mesh-2': 'mesh:empty', app: 'app:1' });
    expect(pod.pointer()).toBe('mesh-1');
    expect(versions(pod)[0]).toEqual(['1', '0']);
    expect(versions(pod)[1]?.[0]).toBe('0');
    expect(pod.stamp()).toMatchObject({ hash: before.hash, controllerRevision: before.controllerRevision });
    expect(pod.restartsOf('mesh-1')).toBe(0);
    expect(pod.owners.get('mesh')).toBe('mesh-1');
  });

  test('a pod that failed is not begun again for that revision, and is for another', () => {
    const pod = onTheWay({ failurePolicy: {} }, 'mesh:crash');
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('abort');
    pod.wait(700).kubelet();
    expect(pod.look()).toMatchObject({ due: 'none', reason: 'FailedBefore' });
    pod.image({ mesh: 'mesh:v3' });
    expect(pod.look()).toMatchObject({ due: 'upgrade', attempt: 1 });
  });

  test('a retry token lets the failed pod try once more, as another attempt', () => {
    const pod = onTheWay({ failurePolicy: {} }, 'mesh:crash');
    pod.run('upgrade');
    pod.wait(2).kubelet();
    pod.run('abort');
    pod.wait(700).kubelet();
    pod.set.metadata.annotations = { ...pod.set.metadata.annotations, [SIDESTEP.retry]: 'a' };
    expect(pod.look()).toMatchObject({ due: 'upgrade', attempt: 2 });
  });

  test('without the record the hash is worked out from the images that the pod is left with', () => {
    const pod = onTheWay({ failurePolicy: {} }, 'mesh:crash');
    const before = pod.stamp().hash;
    pod.run('upgrade');
    pod.wait(2).kubelet();
    const { [SIDESTEP.upgrade]: _, ...annotations } = pod.pod.metadata.annotations ?? {};
    pod.pod.metadata = { ...pod.pod.metadata, annotations };
    pod.run('abort');
    expect(pod.stamp().hash).toBe(before);
  });

  test('is done for every pod half way when the rollout is asked to stop, and none is begun', () => {
    const pod = onTheWay({}, 'mesh:slow');
    pod.run('upgrade');
    pod.wait(2).kubelet();
    const latest = pod.set.status?.latestRevision ?? '';
    pod.set.metadata.annotations = { ...pod.set.metadata.annotations, [SIDESTEP.abort]: latest };
    expect(pod.look()).toMatchObject({ due: 'abort', reason: 'AbortRequested' });
    pod.run('abort');
    pod.wait(2).kubelet();
    expect(pod.look()).toMatchObject({ state: 'Idle', due: 'none', reason: 'AbortRequested' });
  });

  test('that was asked for another revision has no effect', () => {
    const pod = onTheWay();
    pod.set.metadata.annotations = { ...pod.set.metadata.annotations, [SIDESTEP.abort]: 'r-other' };
    expect(pod.look().due).toBe('upgrade');
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
