import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { differences, isObject } from './compare.js';
import { type CaseFile, caseFiles } from './golden-case.js';
import { judge } from './judge.js';
import { ON_PURPOSE } from './on-purpose/rules.js';
import { jsonReport, textReport } from './report.js';
import { replay, runCase } from './run-case.js';

const OPEN_CASES = fileURLToPath(new URL('../../../testdata/golden/open', import.meta.url));
const files = caseFiles(OPEN_CASES);

const named = (name: string): CaseFile => {
  const found = files.find((file) => file.name === name);
  if (found === undefined) throw new Error(`there is no case ${name}`);
  return found;
};

describe('comparing answers', () => {
  test('tells every place that differs, in either direction', () => {
    const expected = { a: 1, list: [{ name: 'x', v: 1 }], gone: true };
    const actual = { list: [{ v: 2, name: 'x' }], a: 1, added: null };
    expect(differences(expected, actual).map(({ path }) => path)).toEqual(['/list/0(x)/v', '/gone', '/added']);
  });

  test('shows lists of different length as a whole', () => {
    expect(differences({ l: [1] }, { l: [1, 2] })).toEqual([{ path: '/l', expected: [1], actual: [1, 2] }]);
  });

  test('finds nothing in equal values, whatever the order of their keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        expect(differences(object, reversed)).toEqual([]);
      }),
    );
  });
});

/** A gap is to be found where it was made, and not on another day by chance. */
const SEED = 20_261_122;

/** The place of every leaf of a JSON value. */
function leaves(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (Array.isArray(value)) return value.flatMap((element, index) => leaves(element, [...path, index]));
  if (isObject(value)) return Object.entries(value).flatMap(([key, held]) => leaves(held, [...path, key]));
  return [path];
}

function changed(value: unknown, path: readonly (string | number)[]): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return 'something else';
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[step] = changed(copy[step], rest);
  return copy;
}

describe('what the API server itself finds invalid', () => {
  const withError = (change: Record<string, unknown>): CaseFile => {
    const file = structuredClone(named('res-sum'));
    if ('golden' in file && file.golden.kind === 'admission')
      Object.assign(file.golden.content.expected!.pod!.error!, change);
    return file;
  };

  test('is taken as recorded', () => {
    expect(runCase(withError({}))).toMatchObject({ passed: true });
  });

  test.each([
    ['a message that its causes do not give', { message: 'completely other' }],
    ['no causes', { details: {} }],
  ])('is not believed with %s', (_, change) => {
    expect(runCase(withError(change))).toMatchObject({ passed: false });
  });
});

describe('the rules for differences on purpose', () => {
  const steps = files
    .flatMap((file) => ('golden' in file ? replay(file.golden).map((step) => ({ ...step, file: file.name })) : []))
    .filter(({ comparison }) => leaves(comparison.expected).length > 0 && leaves(comparison.actual).length > 0);

  const anyStep = fc.nat(steps.length - 1);

  /** What OpenKruise leaves of fields that it does not know is no measure: ours are compared with what was sent. */
  const isUnknownThere = (path: readonly (string | number)[]): boolean =>
    ['fileKeyRef', 'stopSignal', 'restartPolicyRules'].some((field) => path.includes(field));

  test('let no other difference pass: any changed value of any recorded answer is told', () => {
    fc.assert(
      fc.property(anyStep, fc.nat(), (index, choice) => {
        const { comparison, facts, file } = steps[index]!;
        const paths = leaves(comparison.expected).filter((each) => !isUnknownThere(each));
        const path = paths[choice % paths.length]!;
        const wrong = { ...comparison, alternatives: [], expected: changed(comparison.expected, path) };
        const verdict = judge({ comparison: wrong, facts }, ON_PURPOSE);
        expect({ file, path, told: verdict.differences.length > 0 }).toEqual({ file, path, told: true });
      }),
      { numRuns: 1_000, seed: SEED },
    );
  });

  test('and so is any changed value of any answer of ours, but for the words of our own conditions', () => {
    const isOwnWords = (path: readonly (string | number)[]): boolean =>
      path.includes('status') && /^(?:message|lastTransitionTime|reason)$/.test(String(path.at(-1)));
    fc.assert(
      fc.property(anyStep, fc.nat(), (index, choice) => {
        const { comparison, facts, file } = steps[index]!;
        const paths = leaves(comparison.actual).filter(
          (path) => !isOwnWords(path) && !path.includes('currentRevision'),
        );
        const path = paths[choice % paths.length];
        if (path === undefined) return;
        const wrong = { ...comparison, actual: changed(comparison.actual, path) };
        const verdict = judge({ comparison: wrong, facts }, ON_PURPOSE);
        expect({ file, path, told: verdict.differences.length > 0 }).toEqual({ file, path, told: true });
      }),
      { numRuns: 1_000, seed: SEED },
    );
  });

  test('have names of their own and say why', () => {
    expect(new Set(ON_PURPOSE.map(({ name }) => name)).size).toBe(ON_PURPOSE.length);
    expect(ON_PURPOSE.every(({ sentence }) => sentence.endsWith('.'))).toBe(true);
  });
});

describe('judging', () => {
  const appends = (letter: string) => ({
    name: letter,
    sentence: 'x.',
    adjust: ({ expected }: { expected: unknown }) => `${expected}${letter}`,
  });
  const comparison = { subject: 'x', expected: '', actual: 'ac' };

  test('names the rules that explain something, and no others', () => {
    const rules = ['a', 'b', 'c'].map(appends);
    expect(judge({ comparison, facts: { writes: [] } }, rules)).toMatchObject({
      differences: [],
      onPurpose: ['a', 'c'],
    });
  });

  test('asks no rule where the answers are equal', () => {
    const equal = { ...comparison, actual: '' };
    expect(judge({ comparison: equal, facts: { writes: [] } }, [appends('a')]).onPurpose).toEqual([]);
  });

  test('goes on without a rule that cannot read the answer', () => {
    const breaks = { name: 'x', sentence: 'x.', adjust: () => JSON.parse('no JSON') };
    const { onPurpose, differences: left } = judge({ comparison, facts: { writes: [] } }, [breaks]);
    expect({ onPurpose, left: left.length }).toEqual({ onPurpose: [], left: 1 });
  });

  test('takes any of the answers that were recorded of the same request', () => {
    const varied = { ...comparison, alternatives: ['b', 'ac'] };
    expect(judge({ comparison: varied, facts: { writes: [] } }, []).differences).toEqual([]);
    expect(judge({ comparison: { ...varied, actual: 'd' }, facts: { writes: [] } }, []).differences).toHaveLength(1);
  });
});

describe('the report', () => {
  const results = ['basic-single', 'full-container'].map(named).map(runCase);

  test('ends with the numbers on a line of their own', () => {
    expect(textReport(results).split('\n').at(-1)).toBe('2 passed, 0 failed');
  });

  test('lists what differed on purpose, with the cases', () => {
    expect(textReport(results)).toMatch(/startupProbe has defaults[\s\S]*full-container/);
    expect(JSON.parse(jsonReport(results)).onPurpose).toContainEqual(
      expect.objectContaining({ name: 'startupProbe has defaults', cases: ['full-container'] }),
    );
  });

  test('shows both answers where they differ', () => {
    const file = structuredClone(named('basic-single'));
    if ('golden' in file && file.golden.kind === 'admission')
      file.golden.content.expected!.sidecarSets![0]!.status = 218;
    const result = runCase(file);
    expect(result.passed).toBe(false);
    expect(textReport([result])).toMatch(/FAIL.*basic-single[\s\S]*\/status[\s\S]*218[\s\S]*201/);
  });

  test('counts a file that cannot be read as failed', () => {
    expect(runCase({ name: 'x', error: 'no JSON' })).toMatchObject({ passed: false, error: 'no JSON' });
  });
});
