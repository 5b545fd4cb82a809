import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import * as core from './index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const examples = [...readme.matchAll(/^## (.*)$(?:(?!^## )[\s\S])*?^```js\n([\s\S]*?)^```$/gm)].map(
  ([, title = '', code = '']) => [title, code] as const,
);

/** What the comments behind `console.log(...);` say. */
const promised = (code: string): string[] =>
  [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text = '']) => text);

function printed(code: string): string[] {
  const lines: string[] = [];
  const log = (...values: unknown[]): void => {
    lines.push(
      values
        .map((value) => (typeof value === 'string' ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY })))
        .join(' '),
    );
  };
  const body = code.replace(/^import (\{[\s\S]*?\}) from '@sidestep\/core';$/gm, 'const $1 = core;');
  new Function('core', 'console', body)(core, { log });
  return lines;
}

describe('the README', () => {
  test('has its examples', () => {
    expect(examples.map(([title]) => title)).toEqual(['Inject a pod', 'Validate and hash', 'Ask what is due']);
  });

  test.each(examples)('prints in "%s" what its comments say', (_, code) => {
    expect(promised(code).length).toBeGreaterThan(0);
    expect(printed(code)).toEqual(promised(code));
  });
});
