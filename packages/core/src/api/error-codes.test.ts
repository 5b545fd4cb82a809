import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from './error-codes.js';

test('every code that an error is thrown with is documented, and no other', () => {
  const sources = new URL('../', import.meta.url);
  const thrown = readdirSync(sources, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) => [...readFileSync(new URL(file, sources), 'utf8').matchAll(/super\(\s*'([A-Z_]+)'/g)])
    .map((match) => match[1]);
  expect(thrown.sort()).toEqual(Object.keys(ERROR_CODES).sort());
});
