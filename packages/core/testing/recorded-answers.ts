import { readFileSync } from 'node:fs';

/** Reads a file of packages/core/testdata that has one JSON object a line. */
export function recordedAnswers<T>(file: string): T[] {
  const text = readFileSync(new URL(`../testdata/${file}`, import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}
