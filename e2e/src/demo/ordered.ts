import { until } from '../platform/service.js';

const AWAY = /ECONNREFUSED|ECONNRESET|EPIPE|socket hang up/;
const DEADLINE_MS = 60_000;

/** Orders until it is taken, reviving first whatever of the control plane has ended; an answer that refuses is thrown at once. */
export const ordered = (order: () => Promise<void>, revive: () => Promise<void>): Promise<true> =>
  until(
    async () => {
      await revive();
      try {
        await order();
        return true;
      } catch (error) {
        if (!AWAY.test(error instanceof Error ? error.message : String(error))) throw error;
        return undefined;
      }
    },
    'the control plane to take the new image',
    DEADLINE_MS,
  );
