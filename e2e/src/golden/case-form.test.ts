import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { caseFiles } from './golden-case.js';
import { textReport } from './report.js';
import { runCase } from './run-case.js';
import { aPod, aSet, recordedCase } from './testing/recorded-case.js';

const directory = mkdtempSync(path.join(tmpdir(), 'golden-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** What the runner says of a file with this text. */
function reportOf(text: string): { passed: boolean; lines: string[] } {
  const folder = mkdtempSync(path.join(directory, 'x'));
  writeFileSync(path.join(folder, 'case.json'), text);
  mkdirSync(path.join(folder, 'folder'));
  const results = caseFiles(folder).map(runCase);
  expect(results).toHaveLength(1);
  return { passed: results[0]!.passed, lines: textReport(results).split('\n') };
}

const set = aSet('a', { containers: [{ name: 'mesh', image: 'mesh:1' }] });
const good = recordedCase(set, aPod('p'));

describe('a file that is no case counts as failed, with a line that says what, where and what is allowed', () => {
  test.each<[string, string, RegExp]>([
    ['nothing', '', /not JSON.*allowed is one JSON object/],
    ['half a case', '{"steps": [', /not JSON/],
    ['a list', '[]', /the file holds a list; allowed is an object with one of the fields/],
    ['null', 'null', /the file holds null/],
    ['another object', '{"a": 1}', /its fields are: a; allowed/],
    [
      'a step of an unknown kind',
      '{"steps": [{"op": "delete"}]}',
      /steps\[0\]\.op is "delete"; allowed is one of create, update, pod/,
    ],
    ['a step that is none', '{"steps": [5]}', /steps\[0\] is 5; allowed is an object/],
    [
      'a step with no object',
      '{"steps": [{"op": "create", "expected": {"status": 201}}]}',
      /steps\[0\]\.object is missing/,
    ],
    [
      'a step with no answer',
      '{"steps": [{"op": "create", "object": {"metadata": {}}}]}',
      /steps\[0\]\.expected is missing/,
    ],
    [
      'an answer with no status',
      JSON.stringify({ sidecarSets: [set], expected: { sidecarSets: [{}] } }),
      /expected\.sidecarSets\[0\]\.status is missing; allowed is a number/,
    ],
    [
      'an answer to nothing',
      '{"expected": {"sidecarSets": [{"status": 201}]}}',
      /expected\.sidecarSets\[0\] answers no write/,
    ],
    ['no answer', '{"expected": {}}', /no answer to compare/],
    [
      'a pod that was never sent',
      '{"expected": {"pod": {"status": 201, "error": {"status": 500, "message": "x"}}}}',
      /pod is missing; allowed is an object/,
    ],
    [
      'a trace that is none',
      '{"sidecarSet": {"metadata": {"name": "a"}, "spec": {}}, "trace": [{"t": "1", "kind": "pod"}]}',
      /trace\[0\]\.t is "1"; allowed is a number/,
    ],
    [
      'a selection without pods',
      '{"sidecarSet": {"metadata": {"name": "a"}, "spec": {}}, "podsBefore": [], "newImage": 5}',
      /newImage is 5; allowed is a string/,
    ],
    ['sets that are no list', '{"sidecarSets": 5, "expected": {}}', /sidecarSets is 5; allowed is a list/],
    ['a direct case without a pod', '{"cases": [{"sidecarSets": [], "peerResult": {}}]}', /cases\[0\]\.pod is missing/],
  ])('%s', (_, text, message) => {
    const { passed, lines } = reportOf(text);
    expect(passed).toBe(false);
    expect(lines.slice(1, -2).join('\n')).toMatch(message);
    expect(lines.at(-1)).toBe('0 passed, 1 failed');
    expect(lines.join('\n')).not.toMatch(/\n\s+at |TypeError|undefined/);
  });
});

test('a folder by the name of a case counts as failed, and so does a link that leads nowhere', () => {
  const folder = mkdtempSync(path.join(directory, 'x'));
  mkdirSync(path.join(folder, 'folder.json'));
  symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'link.json'));
  const results = caseFiles(folder).map(runCase);
  expect(results.map(({ name, passed }) => [name, passed])).toEqual([
    ['folder', false],
    ['link', false],
  ]);
  expect(results[0]?.error).toBe('it is no file; allowed is a file with one JSON object');
});

describe('a case is taken with what it has', () => {
  const passes = (content: unknown): void => {
    const { passed, lines } = reportOf(JSON.stringify(content));
    expect(passed ? 'passed' : lines).toBe('passed');
  };
  const [write, pod] = good.steps.map(({ expected }) => expected as unknown as Record<string, unknown>);
  const { metadata: _metadata, ...rest } = good.steps[1]!.object;

  test('whatever else stands beside it', () => {
    passes({ name: 'x', extra: { a: 1 }, tags: null, steps: good.steps.map((step) => ({ ...step, note: 'x' })) });
  });

  test('with the fields that are not needed left out, or null', () => {
    passes({ steps: [{ ...good.steps[0], expected: { status: 201 } }] });
    passes({ sidecarSets: [set], extraObjects: null, expected: { sidecarSets: [{ status: 201, hash: write!.hash }] } });
    passes({ sidecarSets: [set], pod: aPod('p'), expected: { pod: { pod: pod!.pod } } });
    passes({ sidecarSets: [set], pod: aPod('p'), expected: { pod: { podRaw: pod!.podRaw } } });
    passes({ sidecarSets: [set], expected: { admission: pod!.admission } });
  });

  test('and with a sidecar that posts what no API server takes', () => {
    expect(rest).toBeDefined();
    const wrong = { ...set, spec: { ...set.spec, containers: 5 } };
    const { lines } = reportOf(
      JSON.stringify({ sidecarSets: [wrong], expected: { sidecarSets: [{ status: 400, message: 'x' }] } }),
    );
    expect(lines.join('\n')).toMatch(/\/message\n/);
  });
});
