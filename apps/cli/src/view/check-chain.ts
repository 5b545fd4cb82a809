import type { Reason } from '@sidestep/core';

/** One rule on the way to an upgrade: passed, the one that holds, or not come to. */
export interface Check {
  rule: string;
  result: 'passed' | 'holds' | 'notReached';
  reason?: string;
  message?: string;
}

/** A rule in words, and the reasons that mean it holds. */
export interface Rule {
  rule: string;
  reasons: readonly Reason[];
}

/**
 * Where a chain of rules stands: the control plane goes through them in this order and gives the first one that holds as its reason,
 * so those before it passed. Without a rule for the reason all passed.
 */
export function checksOf(rules: readonly Rule[], reason: string, message: string): Check[] {
  const at = rules.findIndex(({ reasons }) => (reasons as readonly string[]).includes(reason));
  return rules.map(({ rule }, index): Check => {
    if (at < 0 || index < at) return { rule, result: 'passed' };
    return index === at ? { rule, result: 'holds', reason, message } : { rule, result: 'notReached' };
  });
}
