import { MemoryPhaseQueue } from './memory-phase-queue.js';
import { describePhaseQueue } from './phase-queue.contract.js';
import type { QueueEvent } from './port.js';

describePhaseQueue('in this process', async () => {
  const events: QueueEvent[] = [];
  const queue = new MemoryPhaseQueue({ observe: (event) => events.push(event) });
  return {
    queue,
    events,
    another: () => queue,
    loseEverything: async () => queue.flush(),
    cutOff: async () => queue.setReachable(false),
    bringBack: async () => queue.setReachable(true),
    stop: () => queue.close(),
  };
});
