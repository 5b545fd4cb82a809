import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import type { AgentStatus } from './snapshot.js';

/**
 * Follows a status socket until `enough` says so.
 *
 * Resolves with the status that was enough, with the last one seen when the agent ended before, or with undefined when nobody
 * answers on the path.
 */
export function followStatus(
  path: string,
  enough: (status: AgentStatus) => boolean,
  timeoutMs: number,
): Promise<{ status: AgentStatus | undefined; settled: boolean }> {
  return new Promise((resolve) => {
    let last: AgentStatus | undefined;
    const socket = createConnection(path);
    const finish = (settled: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ status: last, settled });
    };
    const timer = setTimeout(() => finish(false), timeoutMs);
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    const lines = createInterface({ input: socket });
    // readline emits its input's errors again, and an unheard one would end the process.
    lines.on('error', () => finish(false));
    lines.on('line', (line) => {
      last = JSON.parse(line) as AgentStatus;
      if (enough(last)) finish(true);
    });
  });
}
