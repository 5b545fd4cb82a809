import { watch } from 'node:fs';
import { parseArgs } from 'node:util';
import { readConfig } from '../config.js';
import { followStatus } from '../status/client.js';
import { ownDirectory } from '../status/own-directory.js';
import { statusPath } from '../status/path.js';
import type { AgentStatus } from '../status/snapshot.js';
import { writeTerminationMessage } from './termination-message.js';

const RETRY_MS = 25;

/**
 * Waits until the agent of this container has settled. The kubelet starts the hook together with the program, so the status socket
 * may not be there yet, or be a dead one of the run before.
 */
export async function hookCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { timeout: { type: 'string', default: '60' } } });
  const limitMs = Number(values.timeout) * 1000;
  if (!(limitMs > 0)) throw new TypeError(`--timeout is "${values.timeout}"; allowed are seconds above 0`);
  const config = readConfig();
  const directory = ownDirectory(config.directory);
  const outcome = await settle(directory, statusPath(directory, config.slot), performance.now() + limitMs);
  if (outcome.ok) return 0;
  writeTerminationMessage(config.terminationLog, outcome.why);
  process.stderr.write(`sidestep-agent hook: ${outcome.why}\n`);
  return 1;
}

type Outcome = { ok: true } | { ok: false; why: string };

async function settle(directory: string, path: string, deadline: number): Promise<Outcome> {
  let seen: AgentStatus | undefined;
  while (performance.now() < deadline) {
    const { status, settled } = await followStatus(path, isSettled, deadline - performance.now());
    if (status) seen = status;
    if (settled && status) return judge(status);
    // An agent that was seen and is gone has died; the kubelet restarts the container.
    if (status) return { ok: false, why: `the agent ended while ${status.role} (${status.reason}) ${status.message}` };
    await nextChange(directory);
  }
  return {
    ok: false,
    why: seen ? `not settled in time: ${seen.role} (${seen.reason})` : `no agent answered on ${path} in time`,
  };
}

function isSettled({ role }: AgentStatus): boolean {
  return role !== 'starting';
}

function judge({ role, reason, message }: AgentStatus): Outcome {
  return role === 'aborted' ? { ok: false, why: `gave up (${reason}): ${message}` } : { ok: true };
}

/** Resolves when something in the directory changed, or shortly after. */
function nextChange(directory: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(directory, () => finish());
    const timer = setTimeout(() => finish(), RETRY_MS);
    const finish = (): void => {
      clearTimeout(timer);
      watcher.close();
      resolve();
    };
  });
}
