import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { runSoak } from './run-soak.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const positive = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
};

const options = new Command('pnpm soak')
  .description('Disturbs rollouts at random for a while, then waits until everything came right by itself.')
  .option('--minutes <n>', 'how long to disturb', positive, 3)
  .option('--pods <n>', 'how many pods', positive, 300)
  .option('--seed <n>', 'repeats the choices of an earlier run', positive, Math.ceil(Math.random() * 1_000_000))
  .option('--json', 'print one JSON object on stdout and nothing else', false)
  .addHelpText('after', '\nExit status: 0 all is as it must be, 1 it is not, 2 wrong arguments.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .parse()
  .opts<{ minutes: number; pods: number; seed: number; json: boolean }>();

say(`seed ${options.seed}`);
const stateDir = mkdtempSync(path.join(tmpdir(), 'sidestep-soak-'));
const report = await runSoak({ ...options, root, stateDir, say });
if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
say(report.problems.length === 0 ? 'all is as it must be' : `not all is as it must be; logs: ${stateDir}/logs`);
process.exitCode = report.problems.length === 0 ? 0 : 1;
