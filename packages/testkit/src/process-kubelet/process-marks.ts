import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Every process of a container inherits these variables, also one that left its process group: that is how the rest of a
 * container is found when its main process is gone, as the end of a pid namespace would end it.
 */
export const CONTAINER_MARK = 'PROCESS_KUBELET_CONTAINER';
export const KUBELET_MARK = 'PROCESS_KUBELET_ID';

/** The processes of this user that were started with that variable. Reading /proc at once is cheaper than through the thread pool. */
export function processesMarked(mark: string, value: string): number[] {
  const wanted = Buffer.from(`${mark}=${value}\0`);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => environment(pid).includes(wanted));
}

function environment(pid: number): Buffer {
  try {
    return readFileSync(`/proc/${pid}/environ`);
  } catch {
    // Gone meanwhile, or another user's.
    return Buffer.alloc(0);
  }
}

/** Sends a signal to a process, or to a group for a negative number; false when there is none any more. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  // 0 and -1 would reach this process itself, or everything.
  if (!Number.isInteger(pid) || pid === 0 || Math.abs(pid) === 1) return false;
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** On a busy machine a process that was killed may still wait for its turn to end. */
const MOST_LOOKS = 1_000;
const LONGEST_PAUSE_MS = 20;

/**
 * Ends every process of this user that was started with that variable in its environment, or inherited it, and resolves
 * when none is left; a process forked meanwhile is met by the next look. One that the kernel cannot end is given up
 * after a while.
 */
export async function killMarked(mark: string, value: string): Promise<void> {
  for (let looks = 1; looks <= MOST_LOOKS; looks++) {
    const pids = processesMarked(mark, value);
    if (pids.length === 0) return;
    for (const pid of pids) signalProcess(pid, 'SIGKILL');
    await pause(Math.min(looks, LONGEST_PAUSE_MS));
  }
}
