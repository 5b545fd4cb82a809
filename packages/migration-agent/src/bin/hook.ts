import { parseArgs } from 'node:util';
import { readConfig } from '../config.js';
import { followStatus } from '../status/client.js';
import { watchDirectory } from '../status/directory-watch.js';
import { ownDirectory } from '../status/own-directory.js';
import { statusPath } from '../status/path.js';
import type { AgentStatus } from '../status/snapshot.js';
import { writeTerminationMessage } from './termination-message.js';

const RETRY_MS = 25;
/** An agent that runs answers a new connection at once; one that is stopped (SIGSTOP, a debugger) never does. */
const SILENCE_MS = 5_000;
/** Together with the start of this program it stays below a second, in which a kubelet does nothing else for the pod. */
const PROOF_MS = 500;

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
    const windowMs = Math.min(deadline - performance.now(), SILENCE_MS);
    const { status, how } = await followStatus(path, isSettled, windowMs);
    if (status) seen = status;
    if (status && how === 'enough') return status.role === 'owner' ? proven(path, status) : judge(status);
    // An agent that was seen and is gone has died; the kubelet restarts the container.
    if (status && how === 'ended') return ended(status);
    // Every connection is answered at once by an agent whose loop runs: this one is stopped or stuck.
    if (!status && how === 'silent' && windowMs === SILENCE_MS) {
      return { ok: false, why: `the agent does not answer (no status for ${SILENCE_MS / 1000} s)` };
    }
    if (how === 'ended') await nextChange(directory);
  }
  return {
    ok: false,
    why: seen ? `not settled in time: ${seen.role} (${seen.reason})` : `no agent answered on ${path} in time`,
  };
}

/**
 * A version that took over has to live a moment before the hook lets the pod go on: what comes next empties the old container,
 * the only one that can take the sockets back.
 */
async function proven(path: string, status: AgentStatus): Promise<Outcome> {
  const { handover } = status;
  if (!handover || handover.how === 'cold') return judge(status);
  const leftMs = PROOF_MS - (Date.now() - Date.parse(handover.committedAt));
  if (leftMs <= 0) return judge(status);
  const { status: last, how } = await followStatus(path, ({ role }) => role !== 'owner', leftMs);
  if (how === 'enough' && last) return judge(last);
  if (how === 'ended') return ended(last ?? status);
  return answers(path, status);
}

/** One that has nothing new to say and one that hangs are equally silent, so it is asked. */
async function answers(path: string, owner: AgentStatus): Promise<Outcome> {
  const { status, how } = await followStatus(path, () => true, SILENCE_MS);
  if (how === 'enough' && status) return judge(status);
  if (how === 'ended') return ended(owner);
  return { ok: false, why: `the agent took over and does not answer any more (no status for ${SILENCE_MS / 1000} s)` };
}

function ended({ role, reason, message }: AgentStatus): Outcome {
  return { ok: false, why: `the agent ended while ${role} (${reason}) ${message}` };
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
    const watcher = watchDirectory(directory, () => finish());
    const timer = setTimeout(() => finish(), RETRY_MS);
    const finish = (): void => {
      clearTimeout(timer);
      watcher?.close();
      resolve();
    };
  });
}
