import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { LoadResult } from './load-client.js';
import type { PreparedReview } from './reviews.js';
import type { Server } from './servers.js';

export interface Load {
  review: PreparedReview;
  clients: number;
  /** Requests before anything is measured, for connections and for the compiler. */
  warm: number;
  seconds: number;
}

/** Loads a server from a process of its own. */
export async function measure(
  root: string,
  { url, pid }: Pick<Server, 'url' | 'pid'>,
  { review, clients, warm, seconds }: Load,
): Promise<LoadResult> {
  const client = path.join(root, 'bench/dist/webhook/load-client.js');
  const numbers = [clients, warm, seconds * 1000, pid].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, [
    client,
    review.review,
    review.expectation,
    url,
    ...numbers,
  ]);
  return JSON.parse(stdout) as LoadResult;
}

/** Several looks at the same server as one; percentiles are those of the worst. */
export function together(results: readonly LoadResult[]): LoadResult {
  const sum = (figure: keyof LoadResult) => results.reduce((total, result) => total + result[figure], 0);
  const max = (figure: keyof LoadResult) => Math.max(...results.map((result) => result[figure]));
  return {
    requests: sum('requests'),
    wrong: sum('wrong'),
    seconds: sum('seconds'),
    cpuMs: sum('cpuMs'),
    p50: max('p50'),
    p99: max('p99'),
    rssMiB: max('rssMiB'),
  };
}
