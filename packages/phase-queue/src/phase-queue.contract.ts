/** What every phase queue must do; run on the Redis queue and on the in-process twin. */
import { describe } from '@jest/globals';
import { benchFor, type QueueUnderTest } from './queue-bench.contract.js';
import { testConsumers } from './queue-consumers.contract.js';
import { testFaults } from './queue-faults.contract.js';
import { testJobs } from './queue-jobs.contract.js';

export const describePhaseQueue = (name: string, start: () => Promise<QueueUnderTest>): void => {
  describe(`a phase queue: ${name}`, () => {
    const bench = benchFor(start);
    testJobs(bench);
    testConsumers(bench);
    testFaults(bench);
  });
};
