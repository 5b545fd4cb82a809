import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { adapterNamed, checkUsage } from '../adapters/registry.js';
import { AF_UNIX, addon, closeAll, SOCK_SEQPACKET } from '../native/addon.js';
import { findLauncher } from '../supervise/launch.js';
import type { Examined } from './examined.js';
import { error, type Finding, ok, warning } from './finding.js';

const DEFAULT_DRAIN_SECONDS = 28;
const DEFAULT_GRACE_SECONDS = 30;
/** From the end of the drain to the end of the process. */
const RESERVE_SECONDS = 2;
const LEAST_SHARED_MEMORY = 1 << 20;

/** The two variables by which a container of a hot pair knows whether it is its turn. */
export function versionFindings({ config, env }: Examined): Finding[] {
  const where = 'SIDECARSET_VERSION, SIDECARSET_VERSION_ALT';
  const [version, alternative] = [env.SIDECARSET_VERSION, env.SIDECARSET_VERSION_ALT];
  if (version === undefined && alternative === undefined) {
    const advice = 'Nothing to do outside of a pair; else give the container upgradeStrategy.upgradeType HotUpgrade.';
    return [warning('versions', where, 'are not set: this is no container of a hot pair', advice)];
  }
  if (!config.hint) {
    const advice = 'The SidecarSet must not set them itself; Sidestep and OpenKruise do, from annotations of the pod.';
    return [error('versions', where, `are "${version}" and "${alternative}", not two whole numbers`, advice)];
  }
  if (config.hint.version === config.hint.alternative && config.hint.version !== 0) {
    return [
      error(
        'versions',
        where,
        `are both ${version}`,
        'Both containers would think it is their turn; look at the annotations of the pod.',
      ),
    ];
  }
  const turn = config.hint.version >= config.hint.alternative ? 'this container serves' : 'this container keeps';
  return [ok('versions', where, `${version} and ${alternative}: ${turn}`)];
}

/** Everything the agent asks of the kernel and its own parts, tried out. */
export function kernelFindings(): Finding[] {
  const tries: [string, string, () => void][] = [
    ['addon', 'sidestep.node', () => void addon()],
    ['launcher', 'sidestep-exec', () => void findLauncher()],
    ['fd-passing', 'SCM_RIGHTS', passDescriptor],
    ['memfd', 'memfd_create(2)', () => closeAll([positive(addon().memfd('doctor', Buffer.from('x')))])],
  ];
  return tries.map(([check, where, attempt]) => {
    try {
      attempt();
      return ok(check, where, 'works');
    } catch (problem) {
      const advice =
        'Look at the seccomp profile of the container, and whether the image is for this machine and libc.';
      return error(check, where, problem instanceof Error ? problem.message : String(problem), advice);
    }
  });
}

/** A descriptor to oneself and back, by the kind of socket that a hand-over uses. */
function passDescriptor(): void {
  const path = join(tmpdir(), `sidestep-doctor-${randomBytes(6).toString('hex')}.sock`);
  const open: number[] = [];
  const keep = (fd: number): number => {
    open.push(positive(fd));
    return fd;
  };
  try {
    const door = keep(addon().socket(AF_UNIX, SOCK_SEQPACKET));
    positive(addon().bindUnix(door, path));
    positive(addon().listen(door, 1));
    const sender = keep(addon().socket(AF_UNIX, SOCK_SEQPACKET));
    positive(addon().connectUnix(sender, path));
    const receiver = keep(addon().accept(door));
    positive(addon().sendmsg(sender, Buffer.from('x'), [door]));
    const got = addon().recvmsg(receiver, Buffer.alloc(8));
    if (typeof got === 'number' || got.fds.length !== 1) throw new Error('the descriptor did not arrive');
    open.push(...got.fds);
  } finally {
    closeAll(open);
    rmSync(path, { force: true });
  }
}

function positive(result: number): number {
  if (result < 0) throw new Error(`the kernel refused (errno ${-result})`);
  return result;
}

/** Whether the program can be started at all. */
export function programFindings({ command, env }: Examined): Finding[] {
  const [program] = command;
  if (program === undefined) {
    const advice = 'Run `sidestep-agent doctor` in the container, or give the options of `run` and `-- CMD`.';
    return [
      warning('program', 'run', 'this container does not run `sidestep-agent run`, and no CMD was given', advice),
    ];
  }
  const found = locate(program, env.PATH ?? '');
  if (found) return [ok('program', program, `found as ${found}`)];
  return [
    error('program', program, 'is not on PATH, or not executable', 'Install it in the image, or give its whole path.'),
  ];
}

/** What `sidestep-agent run` would refuse before it starts anything. */
export function usageFindings({ adapter, command, readySign, listeners }: Examined): Finding[] {
  if (command.length === 0) return [];
  const where = `sidestep-agent run --adapter ${adapter}`;
  try {
    checkUsage(adapterNamed(adapter), { command, readySign, listeners });
    return [ok('usage', where, 'is what the adapter takes')];
  } catch (problem) {
    return [
      error(
        'usage',
        where,
        (problem as Error).message,
        'Correct the CMD of the image: the container would end at once.',
      ),
    ];
  }
}

function locate(program: string, path: string): string | undefined {
  const candidates = program.includes('/') ? [program] : path.split(delimiter).map((folder) => join(folder, program));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** SIGTERM of a Reset must leave time for the drain, else the kubelet cuts what is left. */
export function graceFindings({ config, graceSeconds }: Examined): Finding[] {
  const drain = config.drainMs === undefined ? DEFAULT_DRAIN_SECONDS : config.drainMs / 1000;
  const needed = drain + RESERVE_SECONDS;
  const where = 'SIDESTEP_DRAIN_SECONDS';
  const advice = `Set terminationGracePeriodSeconds of the pod to ${needed} or more, or SIDESTEP_DRAIN_SECONDS lower.`;
  if (graceSeconds !== undefined && needed > graceSeconds) {
    return [error('grace-period', where, `connections may take ${drain} s, the pod gives ${graceSeconds} s`, advice)];
  }
  if (graceSeconds === undefined && needed > DEFAULT_GRACE_SECONDS) {
    return [
      warning('grace-period', where, `connections may take ${drain} s, more than Kubernetes gives by default`, advice),
    ];
  }
  return [ok('grace-period', where, `connections may take ${drain} s; the pod needs a grace period of ${needed} s`)];
}

/** Envoy keeps its hot restart memory there. */
export function sharedMemoryFindings({ adapter }: Examined): Finding[] {
  if (!adapter.startsWith('envoy')) return [];
  const where = '/dev/shm';
  const advice = 'Give the container a writable /dev/shm; pods have one unless the image or the runtime takes it away.';
  try {
    accessSync(where, constants.W_OK);
    const { bavail, bsize } = statfsSync(where);
    if (bavail * bsize >= LEAST_SHARED_MEMORY) return [ok('shared-memory', where, 'is writable')];
    return [
      error('shared-memory', where, 'is full', 'Remove what lies there, or mount a larger emptyDir (medium: Memory).'),
    ];
  } catch {
    return [error('shared-memory', where, existsSync(where) ? 'is not writable' : 'does not exist', advice)];
  }
}
