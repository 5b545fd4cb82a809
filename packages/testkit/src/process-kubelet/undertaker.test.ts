import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { CONTAINER_MARK, KUBELET_MARK, killMarked, processesMarked, signalProcess } from './process-marks.js';
import { startUndertaker } from './undertaker.js';

const until = async (condition: () => boolean): Promise<void> => {
  const end = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error('the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

/** A process that starts another in a session of its own, so that its group does not reach it. */
const family = (marks: Record<string, string>) =>
  spawn('sh', ['-c', 'setsid sleep 600 & exec sleep 600'], {
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env.PATH, ...marks },
  });

test('when its kubelet is gone, every process that the kubelet started is ended, also one that left its group', async () => {
  const id = randomUUID();
  const undertaker = startUndertaker(id);
  const otherId = randomUUID();
  const stranger = family({ [KUBELET_MARK]: otherId });
  const child = family({ [KUBELET_MARK]: id });
  const childEnded = once(child, 'exit');
  await until(() => processesMarked(KUBELET_MARK, id).length === 2);
  undertaker.stdin?.end();
  await childEnded;
  await until(() => processesMarked(KUBELET_MARK, id).length === 0);
  expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  await killMarked(KUBELET_MARK, otherId);
});

test('the rest of a container is found by its mark', async () => {
  const id = randomUUID();
  const child = family({ [CONTAINER_MARK]: id });
  await until(() => processesMarked(CONTAINER_MARK, id).length === 2);
  await killMarked(CONTAINER_MARK, id);
  expect(processesMarked(CONTAINER_MARK, id)).toEqual([]);
  expect(child.pid).toBeDefined();
});

test('a signal to process 0 or to everything is not sent', () => {
  expect([0, -1, 1, Number.NaN].map((pid) => signalProcess(pid, 'SIGTERM'))).toEqual([false, false, false, false]);
});
