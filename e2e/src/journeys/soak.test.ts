import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { runSoak } from '../soak/run-soak.js';
import { ROOT } from './journey.js';

/** The nightly run takes another one each time. */
const SEED = 1;

test(`a minute and a half of edits, pauses, rollbacks, pod churn and faults over 300 pods come right by themselves (seed ${SEED})`, async () => {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'sidestep-soak-'));
  const report = await runSoak({ root: ROOT, stateDir, minutes: 1.5, pods: 300, seed: SEED });
  expect(report).toMatchObject({ seed: SEED, problems: [] });
  expect(Object.keys(report.heap)).toContain('webhook');
  expect(report.looks).toBeGreaterThan(300);
  expect(Object.keys(report.done).length).toBeGreaterThan(10);
}, 1_800_000);
