import { quoteGo } from '../field-error.js';
import type { LabelSelector } from '../kubernetes.js';
import { checkLabelValue, checkQualifiedName } from './names.js';

/** Why a selector cannot be used, in the words of Kubernetes' selector library; `undefined` if it can. */
export function selectorProblem(selector: LabelSelector): string | undefined {
  for (const [key, value] of Object.entries(selector.matchLabels ?? {}).sort()) {
    const problem = requirementProblem(key, 'Equals', [value]);
    if (problem !== undefined) return problem;
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const problem = requirementProblem(key, operator, values);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function requirementProblem(key: string, operator: string, values: string[]): string | undefined {
  const operatorProblem = operatorProblemOf(operator, values);
  if (operatorProblem.unknown !== undefined) return operatorProblem.unknown;
  const problems: string[] = [];
  const keyProblems = checkQualifiedName(key);
  if (keyProblems.length > 0) problems.push(`key: Invalid value: ${quoteGo(key)}: ${keyProblems.join('; ')}`);
  if (operatorProblem.values !== undefined) problems.push(operatorProblem.values);
  values.forEach((value, i) => {
    const wrong = checkLabelValue(value);
    if (wrong.length > 0) problems.push(`values[${i}][${key}]: Invalid value: ${quoteGo(value)}: ${wrong.join('; ')}`);
  });
  return problems.length > 1 ? `[${problems.join(', ')}]` : problems[0];
}

function operatorProblemOf(operator: string, values: string[]): { unknown?: string; values?: string } {
  switch (operator) {
    case 'Equals':
      return {};
    case 'In':
    case 'NotIn':
      if (values.length > 0) return {};
      return { values: "values: Invalid value: []string(nil): for 'in', 'notin' operators, values set can't be empty" };
    case 'Exists':
    case 'DoesNotExist': {
      if (values.length === 0) return {};
      const shown = `[]string{${values.map(quoteGo).join(', ')}}`;
      return { values: `values: Invalid value: ${shown}: values set must be empty for exists and does not exist` };
    }
    default:
      return { unknown: `${quoteGo(operator)} is not a valid label selector operator` };
  }
}
