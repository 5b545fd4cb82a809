import { expect, test } from '@jest/globals';
import { rehearsePhases } from './phase-rehearsal.js';
import { PhaseRunner } from './phase-runner.js';

test('a rehearsal begins its made-up pod each time: what it is for is compiled by writing, not by finding nothing to do', async () => {
  const results: string[] = [];
  const run = PhaseRunner.prototype.run;
  PhaseRunner.prototype.run = async function (this: PhaseRunner, ...args: Parameters<typeof run>) {
    const outcome = await run.apply(this, args);
    results.push(outcome.result);
    return outcome;
  };
  try {
    await rehearsePhases({ now: () => new Date('2026-01-01T00:00:00Z') });
  } finally {
    PhaseRunner.prototype.run = run;
  }
  expect(results.length).toBeGreaterThan(50);
  expect(new Set(results)).toEqual(new Set(['wrote']));
});
