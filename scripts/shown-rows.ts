import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

interface Page {
  /** Path of a page with tables of four columns: a number, what goes wrong, what is done, the tests that show it. */
  file: string;
  /** So many rows are numbered from 1, throughout the tables. */
  rows: number;
  /** The path of a file of code that a row names. */
  codeFile: (named: string) => string;
}

/** Holds every row of a page to the files that it names: the code exists, and each title is that of one test of its file. */
export const holdRowsToTheirTests = ({ file, rows: count, codeFile }: Page): void => {
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /^\| \d/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const shown = rows.flatMap(([, number = '', , , tests = '']) =>
    [...tests.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, title = '', path = '']) => ({ number, title, path })),
  );

  test('the page has all its rows, each with a test that shows it', () => {
    const numbers = Array.from({ length: count }, (_, i) => String(i + 1));
    expect(rows.map(([, number]) => number)).toEqual(numbers);
    expect([...new Set(shown.map(({ number }) => number))]).toEqual(numbers);
  });

  test.each(shown)('row $number: "$title" is a test of its file', ({ title, path }) => {
    const source = readFileSync(join(dirname(file), path), 'utf8');
    const quoted = ["'", '"', '`'].filter((quote) => source.includes(`${quote}${title}${quote},`));
    expect(quoted).toHaveLength(1);
  });

  test('the code that the page names exists', () => {
    const named = rows.flatMap(([, , , done = '']) =>
      [...done.matchAll(/`([\w/.-]+\.(?:ts|c))`/g)].map(([, path]) => path!),
    );
    expect(named.length).toBeGreaterThan(0);
    for (const path of named) readFileSync(codeFile(path));
  });
};
