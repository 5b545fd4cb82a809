import type { World } from '../world/world.js';
import { judgeLoad } from './judge-load.js';
import type { MatrixRow, RowResult } from './row.js';
import { goesOn, settled, silentPods } from './settle.js';
import { Stage } from './stage.js';
import { Standstill } from './standstill.js';

interface Story {
  did: string[];
  ended: string;
  msUntilHealthy: number;
  problems: string[];
}

const perform = async (stage: Stage, row: MatrixRow, story: Story): Promise<void> => {
  for (const { says, run } of row.act) {
    story.did.push(says);
    await run(stage);
  }
  const since = Date.now();
  story.ended = await settled(stage, row.expect);
  story.msUntilHealthy = Date.now() - since;
  const version = await goesOn(stage, row.expect);
  story.problems.push(...(await silentPods(stage, version)));
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Runs one row; a row that goes wrong says so in its result.
 *
 * @param toTheEnd waits as long as ever, although the machine stood still and the row has to be done again
 */
export const runRow = async (world: World, index: number, row: MatrixRow, toTheEnd: boolean): Promise<RowResult> => {
  const story: Story = { did: [], ended: '', msUntilHealthy: 0, problems: [] };
  const counts = { lost: 0, allowed: 0, killedInFlight: 0, requests: 0, maxGapMs: 0 };
  const standstill = new Standstill();
  let stage: Stage | undefined;
  try {
    stage = await Stage.open(world, index, row.given ?? {}, () => !toTheEnd && standstill.isGivenUp);
    await perform(stage, row, story).catch((error: unknown) => story.problems.push(messageOf(error)));
    const deaths = world.platform.kubeletLog.deaths();
    const report = await stage.load!.stop(deaths);
    const { lost, allowed, problems } = judgeLoad(report, row.allows ?? [], deaths);
    const { killedInFlight, requests, maxGapMs } = report;
    Object.assign(counts, { lost, allowed, killedInFlight, requests, maxGapMs: Math.round(maxGapMs) });
    story.problems.push(...problems, ...stage.histories.flatMap(({ breaches }) => breaches));
  } catch (error) {
    story.problems.push(messageOf(error));
  }
  await stage?.close().catch((error: unknown) => story.problems.push(`afterwards: ${messageOf(error)}`));
  const { did, ended, msUntilHealthy, problems } = story;
  return {
    name: row.name,
    ok: problems.length === 0,
    ...counts,
    stoodStillMs: standstill.end(),
    msUntilHealthy,
    did: did.join('; '),
    ended,
    problem: problems.join('; '),
  };
};
