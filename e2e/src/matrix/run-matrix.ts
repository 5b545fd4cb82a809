import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { removeScratch } from '@sidestep/testkit';
import { catalogueOf, programsOf } from '../world/scenario.js';
import { World } from '../world/world.js';
import type { MatrixRow, RowResult } from './row.js';
import { runRow } from './run-row.js';
import { NODE } from './stage.js';
import { isSpoiltBy } from './standstill.js';

export interface MatrixRun {
  /** The checkout. */
  root: string;
  rows: readonly MatrixRow[];
  apiServer: 'kube-sim' | 'real';
  /** Rows that disturb nothing shared run side by side, so many at once. Default 3. */
  sideBySide?: number;
  onStep?: (what: string) => void;
  onResult?: (result: RowResult) => void;
}

const ATTEMPTS = 3;
/** What fails while the machine stands still says nothing, and is done again; the failure is told all the same. */
const isSpoilt = ({ ok, stoodStillMs }: RowResult): boolean => !ok && isSpoiltBy(stoodStillMs);

const startWorld = ({ root, apiServer, onStep }: MatrixRun, stateDir: string): Promise<World> =>
  World.start(
    {
      root,
      stateDir,
      apiServer,
      faultProxy: apiServer === 'real',
      workers: 2,
      planners: 2,
      queue: 'redis',
      needsRedis: true,
      keepsApiState: true,
      ownRedis: true,
      images: catalogueOf(programsOf(root)),
      node: NODE,
      kubeletArgs: ['--backoff', '0.05'],
    },
    (what) => onStep?.(`starting ${what}`),
  );

/** Runs the rows on one platform and returns their results in the order of the rows. Logs are kept when a row failed. */
export const runMatrix = async (run: MatrixRun): Promise<{ results: RowResult[]; logs: string }> => {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'sidestep-matrix-'));
  const results = new Map<MatrixRow, RowResult>();
  let world: World | undefined;
  try {
    const started = await startWorld(run, stateDir);
    world = started;
    let index = 0;
    const one = async (row: MatrixRow, attempt = 1): Promise<void> => {
      index += 1;
      const result = await runRow(started, index, row, attempt === ATTEMPTS);
      results.set(row, result);
      run.onResult?.(result);
      if (isSpoilt(result) && attempt < ATTEMPTS) await one(row, attempt + 1);
    };
    const queue = run.rows.filter(({ alone }) => !alone);
    const lane = async (): Promise<void> => {
      for (let row = queue.shift(); row; row = queue.shift()) await one(row);
    };
    await Promise.all(Array.from({ length: run.sideBySide ?? 3 }, lane));
    for (const row of run.rows) if (row.alone) await one(row);
  } finally {
    await world?.stop();
  }
  const ordered = run.rows.map((row) => results.get(row)!);
  if (ordered.every(({ ok }) => ok) && !process.env.SIDESTEP_KEEP_LOGS) await removeScratch(stateDir);
  return { results: ordered, logs: path.join(stateDir, 'logs') };
};
