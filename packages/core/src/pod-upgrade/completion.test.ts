import { describe, expect, test } from '@jest/globals';
import { hotSet } from '../../testing/sidecarsets.js';
import { SimulatedPod } from '../../testing/simulated-pod.js';
import { KRUISE, SIDESTEP } from '../api/keys.js';

/** An injected pod on v1 with the SidecarSet edited to v2. */
const onTheWay = (strategy = {}, image = 'mesh:v2') =>
  new SimulatedPod(hotSet('mesh:v1', strategy)).wait(3600).image({ mesh: image });

const DIGEST = `sha256:${'b'.repeat(64)}`;

const record = (pod: SimulatedPod) => JSON.parse(pod.annotation(SIDESTEP.upgrade) ?? '{}')['mesh-set'];

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

  test.each([
    ['the digest that the spec names', DIGEST, 'AwaitingSelection'],
    ['another digest', `sha256:${'c'.repeat(64)}`, 'KubeletCatchingUp'],
    ['nothing', '', 'KubeletCatchingUp'],
  ])(
    'a pod that was only injected, by digest, may be begun once its status shows that digest: %s',
    (_, shown, reason) => {
      const pod = new SimulatedPod(hotSet(`mesh@${DIGEST}`)).wait(3600);
      Object.assign(inStatus(pod, 'mesh-1'), { imageID: shown && `registry/mesh@${shown}` });
      expect(pod.image({ mesh: 'mesh:v2' }).look().reason).toBe(reason);
    },
  );

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
