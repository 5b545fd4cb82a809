import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { childrenOf, familyOf, titleOf } from '../../src/adapters/processes.js';
import { AGENT_BIN, type Fixture, type Pod } from '../processes.js';

const OWN = ['--pid', '--mount', '--uts', '--fork', '--mount-proc', '--kill-child'];

/** Why containers cannot be made here, or undefined. */
export function whyNoContainers(): string | undefined {
  const tried = spawnSync('unshare', [...OWN, 'true'], { encoding: 'utf8' });
  if (tried.status === 0) return undefined;
  return `unshare may not make namespaces here: ${tried.error?.message ?? tried.stderr.trim()}`;
}

/**
 * An agent as pid 1 of a container: its own processes, mounts, host name and /run. As in a pod, the network is shared, /dev/shm too,
 * and the private directory is the pod's emptyDir.
 *
 * @param privately directories that only this container sees
 */
export function container(pod: Pod, args: string[], env: Record<string, string>, privately: string[] = []): Fixture {
  const program = [process.execPath, AGENT_BIN, ...args];
  const mounts = ['/run', ...privately].map((path) => `mount -t tmpfs none ${path} && `).join('');
  return pod.program('unshare', [...OWN, 'sh', '-c', `${mounts}exec "$@"`, 'sh', ...program], {
    SIDESTEP_DIR: pod.directory,
    ...env,
  });
}

/** What the kubelet does to a container: the signal goes to its pid 1. @throws Error when it has ended. */
export function signalContainer({ child }: Fixture, signal: NodeJS.Signals): void {
  process.kill(firstProcess(child.pid), signal);
}

/** The number that the container's first process has in its own namespace. */
export function pidInside({ child }: Fixture): number {
  const status = readFileSync(`/proc/${firstProcess(child.pid)}/status`, 'utf8');
  return Number(/^NSpid:.*\s(\d+)$/m.exec(status)?.[1]);
}

/** The processes that came of an agent's CMD. A launcher, too, has the command line in its own, and is none of them. */
export function programsOf({ child }: Fixture): number[] {
  return programsBelow(child.pid ?? 0);
}

function programsBelow(agent: number): number[] {
  const below = familyOf(agent).filter((pid) => pid !== agent);
  return below.filter((pid) => titleOf(pid) !== '' && !titleOf(pid).includes('sidestep-exec'));
}

/** The container's process that has this in its command line, by its number out here. @throws Error. */
export function processOf({ child }: Fixture, commandLine: string): number {
  const program = programsBelow(firstProcess(child.pid)).find((pid) => titleOf(pid).includes(commandLine));
  if (program === undefined) throw new Error(`no process of the container has "${commandLine}"`);
  return program;
}

/** unshare stays outside and waits for it. */
function firstProcess(unshare = 0): number {
  const [first] = childrenOf(unshare);
  if (first === undefined) throw new Error('the container has no process');
  return first;
}
