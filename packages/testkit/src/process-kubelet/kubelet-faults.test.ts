import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { container, isReady, KubeletLab, statusOf } from './kubelet-lab.js';
import type { ProcessKubelet, ProcessKubeletOptions } from './options.js';

// Every wait has a deadline of its own; a loaded machine is not a failure.
jest.setTimeout(600_000);

let lab: KubeletLab;
let kubelet: ProcessKubelet;
const start = async (options?: Partial<ProcessKubeletOptions>) => {
  kubelet = await lab.start(options);
};

beforeAll(async () => {
  lab = await KubeletLab.open();
});
afterEach(() => lab.stop());
afterAll(() => lab.close());

describe('faults', () => {
  test('a frozen kubelet does nothing until it is thawed', async () => {
    await start();
    await lab.createPod([container('app', 'good:1')]);
    await lab.untilReady();
    kubelet.faults.freeze();
    await lab.setImage(0, 'good:2');
    await lab.untilPod((pod) => pod.spec.containers[0]?.image === 'good:2', 'the change');
    const pid = kubelet.faults.signal({ ...lab.pod, pod: lab.pod.name, container: 'app' }, 'SIGKILL');
    await lab.until(() => lab.log.some((line) => line.event === 'exited' && line.pid === pid), 'the exit');
    await lab.otherNodeRunsAPod();
    expect(statusOf(await lab.getPod(), 'app')).toMatchObject({ image: 'good:1', state: { running: {} } });
    const before = lab.log.length;
    kubelet.faults.thaw();
    await lab.untilPod((pod) => statusOf(pod, 'app')?.image === 'good:2' && isReady(pod), 'the change acted on');
    // One start, after the thaw: neither the change nor the exit was acted on before.
    expect(lab.log.slice(0, before).filter(({ event }) => event === 'started')).toHaveLength(1);
    expect(lab.restartsOf('app')).toBe(1);
  });

  test('a lost node makes its pods unready while their containers run on', async () => {
    await start();
    await lab.createPod([container('app', 'good:1')]);
    await lab.untilReady();
    await kubelet.faults.loseNode();
    expect(isReady(await lab.getPod())).toBe(false);
    expect(kubelet.containers()).toHaveLength(1);
  });

  test('are served on the control socket', async () => {
    await start();
    await lab.createPod([container('app', 'good:1')]);
    await lab.untilReady();
    await lab.control('POST', '/fail-pulls', { image: 'good:2' });
    await lab.control('POST', '/signal', { namespace: 'lab', pod: lab.pod.name, container: 'app', signal: 'SIGKILL' });
    await lab.untilPod((pod) => statusOf(pod, 'app')?.restartCount === 1, 'a restart');
    await lab.setImage(0, 'good:2');
    await lab.untilPod((pod) => statusOf(pod, 'app')?.state.waiting?.reason.match(/Pull/), 'a failed pull');
    await lab.control('POST', '/fail-pulls', { image: 'good:2', fail: false });
    await lab.untilPod((pod) => statusOf(pod, 'app')?.image === 'good:2' && isReady(pod), 'the pulled image');
    expect(await lab.control('GET', '/containers')).toMatchObject([{ container: 'app', image: 'good:2' }]);
    expect(await lab.control('POST', '/signal', { namespace: 'lab' })).toEqual({ error: 'pod must be a string' });
  });
});
