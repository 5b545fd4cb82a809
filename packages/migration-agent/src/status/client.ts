import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import type { AgentStatus } from './snapshot.js';

/** How following a status socket ended. `enough`: as asked · `ended`: the agent closed it, or nobody answers · `silent`: nothing more came. */
export interface Followed {
  status: AgentStatus | undefined;
  how: 'enough' | 'ended' | 'silent';
}

/** Follows a status socket until `enough` says so, the agent is gone, or `timeoutMs` have passed. */
export function followStatus(
  path: string,
  enough: (status: AgentStatus) => boolean,
  timeoutMs: number,
): Promise<Followed> {
  return new Promise((resolve) => {
    let last: AgentStatus | undefined;
    const socket = createConnection(path);
    const finish = (how: Followed['how']): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ status: last, how });
    };
    const timer = setTimeout(() => finish('silent'), timeoutMs);
    socket.on('error', () => finish('ended'));
    socket.on('close', () => finish('ended'));
    const lines = createInterface({ input: socket });
    // readline emits its input's errors again, and an unheard one would end the process.
    lines.on('error', () => finish('ended'));
    lines.on('line', (line) => {
      last = JSON.parse(line) as AgentStatus;
      if (enough(last)) finish('enough');
    });
  });
}
