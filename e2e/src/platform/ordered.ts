import { isAlreadyExists } from '@sidestep/kube';
import { until } from './service.js';

/** Also a webhook that was too late: what came of the machine then says nothing about the order. */
const AWAY = /ECONNREFUSED|ECONNRESET|EPIPE|socket hang up|failed calling webhook/;
const DEADLINE_MS = 60_000;

/**
 * Orders until it is taken by a control plane of which anything may be killed; an answer that refuses is thrown at once.
 *
 * @param revive starts again what has ended, before each try; without it somebody else does
 */
export const ordered = (
  order: () => Promise<unknown>,
  revive: () => Promise<void> = async () => undefined,
): Promise<true> => {
  let isRepeated = false;
  return until(
    async () => {
      await revive();
      try {
        await order();
        return true;
      } catch (error) {
        // By the order before, whose answer was lost.
        if (isRepeated && isAlreadyExists(error)) return true;
        if (!AWAY.test(error instanceof Error ? error.message : String(error))) throw error;
        isRepeated = true;
        return undefined;
      }
    },
    'the control plane to take an order',
    DEADLINE_MS,
  );
};
