import pc from 'picocolors';
import type { Difference } from './compare.js';
import { ON_PURPOSE } from './on-purpose/rules.js';
import type { CaseResult } from './run-case.js';

/** Differences shown per comparison; one wrong hash alone shows in a dozen places. */
const SHOWN = 8;
const WIDTH = 600;
/** Case names listed per rule; the JSON report has them all. */
const LISTED = 12;

/** The whole report as text; ends with `N passed, M failed` on a line of its own. */
export function textReport(results: readonly CaseResult[]): string {
  const failed = results.filter(({ passed }) => !passed);
  const lines = [...failed.flatMap(failureLines), ...onPurposeLines(results)];
  return [...lines, `${results.length - failed.length} passed, ${failed.length} failed`].join('\n');
}

/** The same as one JSON object. */
export function jsonReport(results: readonly CaseResult[]): string {
  const failed = results.filter(({ passed }) => !passed).length;
  const onPurpose = rulesUsed(results).map(({ name, sentence, cases }) => ({ name, sentence, cases }));
  return JSON.stringify({ passed: results.length - failed, failed, onPurpose, cases: results }, null, 1);
}

function failureLines({ name, failures, error }: CaseResult): string[] {
  const head = `${pc.red('FAIL')} ${pc.bold(name)}`;
  if (error !== undefined) return [head, `  cannot be replayed: ${error}`, ''];
  const parts = failures.flatMap(({ subject, differences }) => [
    `  ${subject}`,
    ...differences.slice(0, SHOWN).flatMap(differenceLines),
    ...(differences.length > SHOWN ? [`    and ${differences.length - SHOWN} more`] : []),
  ]);
  return [head, ...parts, ''];
}

function differenceLines({ path, expected, actual }: Difference): string[] {
  return [`    ${path}`, pc.green(`      OpenKruise ${shown(expected)}`), pc.red(`      Sidestep   ${shown(actual)}`)];
}

function shown(value: unknown): string {
  if (value === undefined) return '(nothing)';
  const text = JSON.stringify(value);
  return text.length > WIDTH ? `${text.slice(0, WIDTH)}...` : text;
}

function rulesUsed(results: readonly CaseResult[]) {
  return ON_PURPOSE.map((rule) => ({
    ...rule,
    cases: results.filter(({ onPurpose }) => onPurpose.includes(rule.name)).map(({ name }) => name),
  })).filter(({ cases }) => cases.length > 0);
}

function onPurposeLines(results: readonly CaseResult[]): string[] {
  const used = rulesUsed(results);
  if (used.length === 0) return [];
  const lines = used.flatMap(({ name, sentence, cases }) => [
    `  ${pc.bold(name)} (${cases.length} ${cases.length === 1 ? 'case' : 'cases'})`,
    `    ${sentence}`,
    `    ${pc.dim(listed(cases))}`,
  ]);
  return ['Different from OpenKruise on purpose:', ...lines, ''];
}

function listed(cases: readonly string[]): string {
  const more = cases.length - LISTED;
  return more > 0 ? `${cases.slice(0, LISTED).join(', ')} and ${more} more` : cases.join(', ');
}
