import { CaseFormError } from './checks.js';
import type { CaseFile, GoldenCase } from './golden-case.js';
import { type Judgeable, judge, type Verdict } from './judge.js';
import { ON_PURPOSE } from './on-purpose/rules.js';
import { runAdmissionCase } from './run-admission-case.js';
import { runDirectCase } from './run-direct-case.js';
import { runSelectionCase } from './run-selection-case.js';
import { runTraceCase } from './run-trace-case.js';

/** How one case went. */
export interface CaseResult {
  name: string;
  passed: boolean;
  /** Comparisons that came out different. */
  failures: Verdict[];
  /** The case could not be replayed at all. */
  error?: string;
  /** Names of the rules that explained a difference. */
  onPurpose: string[];
}

/** Replays one case; whatever is wrong with it is a failure of that case alone. */
export function runCase(file: CaseFile): CaseResult {
  if ('error' in file) return { name: file.name, passed: false, failures: [], error: file.error, onPurpose: [] };
  try {
    const verdicts = replay(file.golden).map((step) => judge(step, ON_PURPOSE));
    if (verdicts.length === 0) throw new CaseFormError(NOTHING);
    const failures = verdicts.filter(({ differences }) => differences.length > 0);
    const onPurpose = [...new Set(verdicts.flatMap((verdict) => verdict.onPurpose))];
    return { name: file.name, passed: failures.length === 0, failures, onPurpose };
  } catch (error) {
    return { name: file.name, passed: false, failures: [], error: reasonOf(error), onPurpose: [] };
  }
}

const NOTHING =
  'expected holds no answer to compare; allowed are sidecarSets, pod and admission with what OpenKruise answered';

/** A form that slipped through the look at it shows as some other error. */
function reasonOf(error: unknown): string {
  if (error instanceof CaseFormError) return error.message;
  const text = error instanceof Error ? error.message : String(error);
  return `it breaks the replay (${text}); allowed is what testdata/golden/README.md describes`;
}

/** True for cases that replay a whole rollout. */
export function replaysRollout(file: CaseFile): boolean {
  return 'golden' in file && (file.golden.kind === 'selection' || file.golden.kind === 'trace');
}

/** Replays a case and pairs every answer of ours with the recorded one. */
export function replay(golden: GoldenCase): Judgeable[] {
  switch (golden.kind) {
    case 'admission':
      return runAdmissionCase(golden.content);
    case 'direct':
      return runDirectCase(golden.content);
    case 'trace':
      return runTraceCase(golden.content);
    case 'selection':
      return runSelectionCase(golden.content);
  }
}
