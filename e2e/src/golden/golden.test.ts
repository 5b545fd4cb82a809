import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { caseFiles } from './golden-case.js';
import { textReport } from './report.js';
import { runCase } from './run-case.js';

const OPEN_CASES = fileURLToPath(new URL('../../../testdata/golden/open', import.meta.url));

describe('the recorded answers of OpenKruise 1.9', () => {
  const files = caseFiles(OPEN_CASES);

  test('are all there', () => {
    expect(files.length).toBeGreaterThanOrEqual(132);
  });

  test.each(files)('$name is answered alike', (file) => {
    const result = runCase(file);
    expect(result.passed ? 'passed' : textReport([result])).toBe('passed');
  });
});
