import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The direct children of a process, from the container's own /proc; empty when it is gone. */
export function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) =>
    read(`/proc/${pid}/task/${thread}/children`).split(' ').filter(Boolean).map(Number),
  );
}

/** A process and everything below it. */
export function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

/** What a process calls itself; empty when it is gone or a zombie. */
export function titleOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

/** Whether a process has this very socket open, under whatever number. `fd` is one of ours. */
export function holdsSocket(pid: number, fd: number): boolean {
  const socket = link(`/proc/self/fd/${fd}`);
  if (!socket.startsWith('socket:')) return false;
  return list(`/proc/${pid}/fd`).some((number) => link(`/proc/${pid}/fd/${number}`) === socket);
}

const threadsOf = (pid: number): string[] => list(`/proc/${pid}/task`);

// A process can end between two looks, and then its files are gone.
const list = (path: string): string[] => attempt(() => readdirSync(path), []);
const read = (path: string): string => attempt(() => readFileSync(path, 'utf8'), '');
const link = (path: string): string => attempt(() => readlinkSync(path), '');

/** What a look at a process finds, or `otherwise` when the process is gone by then. */
export function attempt<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
