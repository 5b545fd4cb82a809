/** A queue of per-pod phase jobs: BullMQ on Redis, and an in-process twin, behind one small port. */
export { PHASE_QUEUE_ERROR_CODES, PhaseQueueError, type PhaseQueueErrorCode, type RetryRule } from './errors.js';
export * from './memory-phase-queue.js';
export * from './phase-job.js';
export * from './port.js';
export * from './redis-phase-queue.js';
export { retryDelayMs } from './retry.js';
