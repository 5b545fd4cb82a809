import { beforeAll, describe, expect, test } from '@jest/globals';
import { leaveOut } from '@sidestep/testkit';
import { ROOT } from '../journeys/journey.js';
import { whyNotReal } from '../real/real-cluster.js';
import type { MatrixRow, RowResult } from './row.js';
import { ROWS } from './rows.js';
import { runMatrix } from './run-matrix.js';

/** Against a wait without end. On two cores that have nothing else to do each of the two takes some two minutes. */
const DEADLINE_MS = 30 * 60_000;

const runs = (apiServer: 'kube-sim' | 'real', rows: readonly MatrixRow[]): void => {
  let results: RowResult[];
  let logs: string;
  beforeAll(async () => {
    ({ results, logs } = await runMatrix({ root: ROOT, rows, apiServer }));
  }, DEADLINE_MS);

  test.each(rows.map(({ name }, index) => [name, index] as const))('%s', (_, index) => {
    const { ok, problem, did } = results[index]!;
    expect({ ok, problem, did, logs: ok ? '' : logs }).toEqual({ ok: true, problem: '', did, logs: '' });
  });
};

describe('the failure matrix, in short, ends as it must under load', () => {
  runs(
    'kube-sim',
    ROWS.filter(({ quick }) => quick),
  );
});

const missing = await whyNotReal();
if (missing !== undefined) {
  leaveOut('the failure matrix on a real API server', missing);
  test('what the failure matrix lacks is named, with the way to get it', () =>
    expect(missing).toContain('npm test -- --all'));
} else {
  describe('the failure matrix through a proxy in front of a real API server, in short, ends as it must under load', () => {
    runs(
      'real',
      ROWS.filter(({ quickOnReal }) => quickOnReal),
    );
  });
}
