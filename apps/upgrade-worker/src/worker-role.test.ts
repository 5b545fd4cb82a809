import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { ClusterPort, EventPort } from '@sidestep/controller';
import { createLogger, createMetrics } from '@sidestep/observability';
import { MemoryPhaseQueue } from '@sidestep/phase-queue';
import { WorkerRole } from './worker-role.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const workerThatCounts = (answer: () => Promise<number>): { worker: WorkerRole; calls: () => number } => {
  const readEpoch = jest.fn(answer);
  const worker = new WorkerRole({
    clusterFor: () => ({ readEpoch }) as unknown as ClusterPort,
    queue: new MemoryPhaseQueue({}),
    events: {} as EventPort,
    concurrency: 1,
    managedFields: 'keep',
    log: createLogger({ name: 'test', level: 'silent' }),
    metrics: createMetrics(),
  });
  return { worker, calls: () => readEpoch.mock.calls.length };
};

/** Lets everything happen that waits for no clock. */
const settled = (): Promise<void> => jest.advanceTimersByTimeAsync(0);

test('a worker that starts makes ready what its first phases use, and goes on keeping connections open until it is stopped', async () => {
  const { worker, calls } = workerThatCounts(async () => 1);
  await worker.start();
  await settled();
  expect(calls()).toBe(8 * 4);
  await jest.advanceTimersByTimeAsync(45_000);
  expect(calls()).toBe(9 * 4);
  await worker.stop(0);
  await jest.advanceTimersByTimeAsync(450_000);
  expect(calls()).toBe(9 * 4);
});

test('an API server that does not answer keeps no worker from starting, and is not asked over and over', async () => {
  const { worker, calls } = workerThatCounts(() => Promise.reject(new Error('refused')));
  await worker.start();
  await settled();
  expect(calls()).toBe(4);
  await worker.stop(0);
});

test('a worker takes work at once, also while an API server keeps it waiting', async () => {
  const { worker } = workerThatCounts(() => new Promise(() => undefined));
  await worker.start();
  await worker.stop(0);
});
