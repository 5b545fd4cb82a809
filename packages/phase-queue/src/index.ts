/** A queue of per-pod phase jobs: BullMQ on Redis, and an in-process twin, behind one small port. */
export * from './port.js';
