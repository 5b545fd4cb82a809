import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, expect, jest, test } from '@jest/globals';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const EXAMPLES = new URL('../examples/', import.meta.url);

afterEach(() => {
  jest.restoreAllMocks();
});

test.each(readdirSync(EXAMPLES))('the example %s stands in the README and prints what it says', async (name) => {
  const file = new URL(name, EXAMPLES);
  const log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  await import(file.pathname);
  const printed = log.mock.calls.map((line) => line.join(' ')).join('\n');
  const code = readFileSync(file, 'utf8').trimEnd();
  expect(README).toContain(`\`\`\`js\n${code}\n\`\`\`\n\nprints\n\n\`\`\`text\n${printed}\n\`\`\``);
});
