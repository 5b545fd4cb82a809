import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const PAGE = fileURLToPath(new URL('../docs/explanation/handover-pitfalls.md', import.meta.url));
const PITFALLS = 42;

const rows = readFileSync(PAGE, 'utf8')
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()));

const shown = rows.flatMap(([, number = '', , , tests = '']) =>
  [...tests.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, title = '', file = '']) => ({ number, title, file })),
);

test('the page of pitfalls has them all, each with a test that shows it', () => {
  const numbers = Array.from({ length: PITFALLS }, (_, i) => String(i + 1));
  expect(rows.map(([, number]) => number)).toEqual(numbers);
  expect([...new Set(shown.map(({ number }) => number))]).toEqual(numbers);
});

test.each(shown)('pitfall $number: "$title" is a test of its file', ({ title, file }) => {
  const source = readFileSync(join(dirname(PAGE), file), 'utf8');
  const quoted = ["'", '"', '`'].filter((quote) => source.includes(`${quote}${title}${quote},`));
  expect(quoted).toHaveLength(1);
});

test('the code that the page names exists', () => {
  const room = join(dirname(PAGE), '../../packages/migration-agent');
  const named = rows.flatMap(([, , , done = '']) =>
    [...done.matchAll(/`([\w/-]+\.(?:ts|c))`/g)].map(([, path]) => path!),
  );
  expect(named.length).toBeGreaterThan(0);
  for (const path of named) readFileSync(join(room, path.endsWith('.c') ? '' : 'src', path));
});
