import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseOptions } from './options.js';
import { lineOf, markdownOf } from './report.js';
import { ROWS } from './rows.js';
import { runMatrix } from './run-matrix.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const main = async (argv: readonly string[]): Promise<number> => {
  const options = parseOptions(argv);
  const wanted = ({ name, quick, simulatedOnly }: (typeof ROWS)[number]): boolean =>
    (!options.quick || quick === true) &&
    (options.filter?.test(name) ?? true) &&
    !(simulatedOnly && options.api === 'real');
  const rows = ROWS.filter(wanted).flatMap((row) => Array.from({ length: options.repeat }, () => ({ ...row })));
  if (rows.length === 0) {
    say(`no row's name matches ${options.filter}; --list prints them`);
    return 2;
  }
  if (options.list) {
    for (const { name } of ROWS.filter(wanted)) process.stdout.write(`${name}\n`);
    return 0;
  }
  const onResult = (result: Parameters<typeof lineOf>[0]): void => say(lineOf(result));
  const { results, logs } = await runMatrix({ root, rows, apiServer: options.api, onStep: say, onResult });
  const ok = results.every((result) => result.ok);
  if (options.markdown) writeFileSync(options.markdown, markdownOf(results, options.api));
  if (options.json) process.stdout.write(`${JSON.stringify({ matrix: options.api, ok, rows: results })}\n`);
  say(ok ? `${results.length} rows, all as they must be` : `not all rows are as they must be; logs: ${logs}`);
  return ok ? 0 : 1;
};

process.exitCode = await main(process.argv.slice(2));
