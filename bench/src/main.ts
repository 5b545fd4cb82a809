import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Bench, Row } from './bench.js';
import { WrongArguments } from './flags/flags.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
const NOT_BENCHES = new Set(['main', 'bench', 'index']);

const names = (): string[] =>
  readdirSync(here)
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -3))
    .filter((name) => !NOT_BENCHES.has(name) && !name.includes('.'))
    .sort();

const load = async (name: string): Promise<Bench> =>
  ((await import(pathToFileURL(path.join(here, `${name}.js`)).href)) as { bench: Bench }).bench;

const cell = (value: Row[string] | undefined): string =>
  typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(value < 10 ? 2 : 1) : String(value ?? '');

const printTable = (rows: readonly Row[]): void => {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, ...rows.map((row) => columns.map((column) => cell(row[column])))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]!.length)));
  for (const line of lines)
    console.log(
      line
        .map((text, index) => text.padEnd(widths[index]!))
        .join('  ')
        .trimEnd(),
    );
};

const usage = async (): Promise<string> => {
  const benches = await Promise.all(names().map(load));
  const list = benches.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`).join('\n');
  return `pnpm bench NAME [--quick] [--json] [flags of the benchmark]\n\n${list}\n\nExit status: 0 every count is right, 1 one is wrong, 2 wrong arguments.`;
};

const main = async ([name, ...args]: string[]): Promise<number> => {
  if (name === undefined || name === '--help' || !existsSync(path.join(here, `${name}.js`)) || NOT_BENCHES.has(name)) {
    process.stderr.write(`${await usage()}\n`);
    return name === '--help' ? 0 : 2;
  }
  const bench = await load(name);
  if (args.includes('--help')) {
    process.stderr.write(`${bench.name}: ${bench.description}\n`);
    return 0;
  }
  const rows = await bench.run({
    quick: args.includes('--quick'),
    root,
    args: args.filter((argument) => argument !== '--quick' && argument !== '--json'),
    say: (line) => process.stderr.write(`${line}\n`),
  });
  const ok = rows.every((row) => row.ok);
  if (args.includes('--json')) console.log(JSON.stringify({ bench: name, ok, rows }));
  else printTable(rows);
  return ok ? 0 : 1;
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof WrongArguments)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
