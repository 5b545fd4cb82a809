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

test('a worker with nothing to do keeps the connections of a phase open until it is stopped', async () => {
  const { worker, calls } = workerThatCounts(async () => 1);
  await worker.start();
  expect(calls()).toBe(4);
  jest.advanceTimersByTime(45_000);
  expect(calls()).toBe(8);
  await worker.stop(0);
  jest.advanceTimersByTime(450_000);
  expect(calls()).toBe(8);
});

test('an API server that does not answer keeps no worker from starting', async () => {
  const { worker, calls } = workerThatCounts(() => Promise.reject(new Error('refused')));
  await worker.start();
  expect(calls()).toBe(4);
  await worker.stop(0);
});
