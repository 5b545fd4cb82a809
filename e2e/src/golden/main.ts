import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { caseFiles } from './golden-case.js';
import { jsonReport, textReport } from './report.js';
import { replaysRollout, runCase } from './run-case.js';

const OPEN_CASES = fileURLToPath(new URL('../../../testdata/golden/open', import.meta.url));

interface Options {
  dir: string;
  filter?: string;
  json?: boolean;
  quick?: boolean;
}

const { dir, filter, json, quick } = new Command('golden')
  .description('replays what OpenKruise answered on a real API server and compares our answers with it')
  .option('--dir <directory>', 'folder of recorded cases', OPEN_CASES)
  .option('--filter <text>', 'only cases with this text in their name')
  .option('--quick', 'leave out the cases that replay whole rollouts')
  .option('--json', 'print one JSON object')
  .parse()
  .opts<Options>();

if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
  process.stderr.write(`--dir ${dir} is no folder; allowed is a folder with recorded cases in .json files\n`);
  process.exit(2);
}
const files = caseFiles(dir);
const chosen = files
  .filter(({ name }) => filter === undefined || name.includes(filter))
  .filter((file) => !quick || !replaysRollout(file));
if (chosen.length === 0) {
  const what =
    files.length === 0 ? `there is no .json file in ${dir}` : `none of the ${files.length} cases in ${dir} is left`;
  process.stderr.write(`${what}; allowed is at least one recorded case\n`);
}
const results = chosen.map(runCase);
process.stdout.write(`${json ? jsonReport(results) : textReport(results)}\n`);
process.exitCode = results.length === 0 || results.some(({ passed }) => !passed) ? 1 : 0;
