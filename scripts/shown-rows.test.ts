import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';
import { holdRowsToTheirTests } from './shown-rows.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const AGENT = join(ROOT, 'packages/migration-agent');

describe('the pitfalls of a hand-over', () => {
  holdRowsToTheirTests({
    file: join(ROOT, 'docs/explanation/handover-pitfalls.md'),
    rows: 42,
    codeFile: (named) => join(AGENT, named.endsWith('.c') ? '' : 'src', named),
  });
});

describe('where Sidestep decides for itself', () => {
  holdRowsToTheirTests({
    file: join(ROOT, 'docs/explanation/own-decisions.md'),
    rows: 64,
    codeFile: (named) => join(ROOT, /^(packages|apps)\//.test(named) ? '' : 'packages/core/src', named),
  });
});
