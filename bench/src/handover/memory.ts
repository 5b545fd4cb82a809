import { readFileSync } from 'node:fs';

/** Memory that is a process's alone and no page of a file, in MB: what it costs a pod beside other processes of the same program. */
export function privateMB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/Private_Dirty:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
}

/** A process and everything below it. */
export function family(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(family)];
}

/** Proportional memory of processes and all below them, in whole MB: pages that they share count once. */
export function proportionalMB(pids: readonly number[]): number {
  return Math.round(pids.flatMap(family).reduce((sum, pid) => sum + pssKB(pid), 0) / 1024);
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function pssKB(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
