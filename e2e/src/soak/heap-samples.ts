import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Names the variable with the folder of the samples, one file for each process. */
export const HEAP_FOLDER = 'SOAK_HEAP_FOLDER';
export const HEAP_EVERY_MS = 2_000;

/** What was in use after garbage was collected. */
export interface HeapSample {
  atMs: number;
  megabytes: number;
}

/** In the order in which they were taken; none for a process without a probe. */
export const heapSamplesOf = (folder: string, pid: number): HeapSample[] => {
  const file = path.join(folder, `${pid}.jsonl`);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n').filter(Boolean);
  return lines.map((line) => {
    const [atMs = 0, bytes = 0] = JSON.parse(line) as number[];
    return { atMs, megabytes: bytes / 2 ** 20 };
  });
};
