import { type Comparison, type Difference, differences } from './compare.js';
import type { CaseFacts, OnPurpose } from './on-purpose/rule.js';

/** What is left of a comparison once every intended difference is taken out. */
export interface Verdict {
  subject: string;
  differences: Difference[];
  /** Names of the rules without which it would be more. */
  onPurpose: string[];
}

/** Two answers with what the rules may know about them. */
export interface Judgeable {
  comparison: Comparison;
  facts: CaseFacts;
}

/** Compares our answer with OpenKruise's, and with what the rules make of it; of several recorded answers the nearest counts. */
export function judge({ comparison, facts }: Judgeable, rules: readonly OnPurpose[]): Verdict {
  const { expected, alternatives = [] } = comparison;
  const verdicts = [expected, ...alternatives].map((each) => judgeOne({ ...comparison, expected: each }, facts, rules));
  return verdicts.reduce((best, each) => (isNearer(each, best) ? each : best));
}

const isNearer = (a: Verdict, b: Verdict): boolean =>
  a.differences.length < b.differences.length ||
  (a.differences.length === b.differences.length && a.onPurpose.length < b.onPurpose.length);

/** One rule may need another: of all sets of rules that have something to say the smallest counts that leaves nothing open. */
function judgeOne(comparison: Comparison, facts: CaseFacts, rules: readonly OnPurpose[]): Verdict {
  const { subject, expected, actual } = comparison;
  const open = differences(expected, actual);
  if (open.length === 0) return { subject, differences: open, onPurpose: [] };
  const all = applied(comparison, facts, rules);
  let best = { kept: [] as OnPurpose[], left: open };
  for (const some of subsets(all.kept)) {
    const tried = some.length === all.kept.length ? all : applied(comparison, facts, some);
    if (tried.left.length < best.left.length) best = tried;
    if (best.left.length === 0) break;
  }
  return { subject, differences: best.left, onPurpose: best.kept.map(({ name }) => name) };
}

/** Never more than a few rules have something to say about one answer. */
const MAX_COMBINED = 8;

/** All sets of the rules, smaller ones first; of very many rules only the whole. */
function subsets(rules: OnPurpose[]): OnPurpose[][] {
  if (rules.length > MAX_COMBINED) return [rules];
  const all = Array.from({ length: 2 ** rules.length }, (_, bits) =>
    rules.filter((_rule, index) => bits & (1 << index)),
  );
  return all.sort((a, b) => a.length - b.length);
}

/** A recording that a rule cannot read is none that it explains: it is compared as it is. */
function adjustedBy(rule: OnPurpose, comparison: Comparison, facts: CaseFacts): unknown {
  try {
    return rule.adjust(comparison, facts);
  } catch {
    return undefined;
  }
}

/** What the rules leave, and those of them that had something to say. */
function applied(comparison: Comparison, facts: CaseFacts, rules: readonly OnPurpose[]) {
  const kept: OnPurpose[] = [];
  let { expected } = comparison;
  for (const rule of rules) {
    const adjusted = adjustedBy(rule, { ...comparison, expected }, facts);
    if (adjusted === undefined || differences(expected, adjusted).length === 0) continue;
    expected = adjusted;
    kept.push(rule);
  }
  return { kept, left: differences(expected, comparison.actual) };
}
