import { type Comparison, type Difference, differences } from './compare.js';
import type { CaseFacts, OnPurpose } from './on-purpose/rule.js';

/** What is left of a comparison once every intended difference is taken out. */
export interface Verdict {
  subject: string;
  differences: Difference[];
  /** Names of the rules that explained something. */
  onPurpose: string[];
}

/** Two answers with what the rules may know about them. */
export interface Judgeable {
  comparison: Comparison;
  facts: Omit<CaseFacts, 'earlier'>;
}

/** Judges the comparisons of one case in turn: a later one may follow from a difference that was meant in an earlier one. */
export function judgeInTurn(steps: readonly Judgeable[], rules: readonly OnPurpose[]): Verdict[] {
  const earlier = new Set<string>();
  return steps.map(({ comparison, facts }) => {
    const verdict = judge(comparison, { ...facts, earlier }, rules);
    for (const name of verdict.onPurpose) earlier.add(name);
    return verdict;
  });
}

/** Compares the answers, and where they differ asks each rule what OpenKruise would have answered had it meant the same. */
function judge(comparison: Comparison, facts: CaseFacts, rules: readonly OnPurpose[]): Verdict {
  let { expected } = comparison;
  let open = differences(expected, comparison.actual);
  const onPurpose: string[] = [];
  for (const rule of rules) {
    if (open.length === 0) break;
    const adjusted = rule.adjust({ ...comparison, expected }, facts);
    if (adjusted === undefined || differences(expected, adjusted).length === 0) continue;
    const left = differences(adjusted, comparison.actual);
    if (left.length > open.length) continue;
    [expected, open] = [adjusted, left];
    onPurpose.push(rule.name);
  }
  return { subject: comparison.subject, differences: open, onPurpose };
}
