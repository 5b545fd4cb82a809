import type { RowResult } from './row.js';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** One line for a person who watches. */
export const lineOf = (result: RowResult): string => {
  const { ok, name, lost, killedInFlight, msUntilHealthy, stoodStillMs, ended, problem } = result;
  const still = !ok && stoodStillMs > 1_000 ? ` (this machine stood still for ${seconds(stoodStillMs)})` : '';
  return `${ok ? 'ok  ' : 'FAIL'} ${name}: lost ${lost}, in flight in a killed process ${killedInFlight}, healthy after ${seconds(msUntilHealthy)}; ${ok ? ended : problem}${still}`;
};

/** The matrix as a page. */
export const markdownOf = (results: readonly RowResult[], apiServer: string): string => {
  const failed = results.filter(({ ok }) => !ok).length;
  const rows = results.map(
    ({ name, ok, did, ended, problem, lost, killedInFlight, allowed, requests, msUntilHealthy }) =>
      `| ${[
        ok ? 'yes' : '**no**',
        name,
        did,
        ok ? ended : problem,
        `${lost} of ${requests}`,
        killedInFlight + allowed,
        seconds(msUntilHealthy),
      ]
        .map((value) => cell(String(value)))
        .join(' | ')} |`,
  );
  return [
    '# Failure matrix',
    '',
    `${results.length} rows on ${apiServer}, ${failed === 0 ? 'every one as it must be' : `${failed} of them not as they must be`}. Pods are processes under load.`,
    '"Held" are requests that were in flight in a process that died or was stopped, or that came while nothing could listen and nothing',
    'promises otherwise. The time is counted from the last act until the pods were as they must be.',
    '',
    '| ok | row | what was done | how it ended | lost | held | healthy after |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
};
