import { existsSync } from 'node:fs';
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

if (!existsSync(dir)) {
  process.stderr.write(`there is no folder ${dir}\n`);
  process.exit(2);
}
const files = caseFiles(dir).filter(({ name }) => filter === undefined || name.includes(filter));
const results = files.filter((file) => !quick || !replaysRollout(file)).map(runCase);
process.stdout.write(`${json ? jsonReport(results) : textReport(results)}\n`);
process.exitCode = results.length === 0 || results.some(({ passed }) => !passed) ? 1 : 0;
