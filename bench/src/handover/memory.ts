import { readFileSync } from 'node:fs';

/** Memory that is a process's alone and no page of a file, in MB: what it costs a pod beside other processes of the same program. */
export function privateMB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/Private_Dirty:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024;
}
