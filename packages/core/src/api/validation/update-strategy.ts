import { type FieldError, invalid, required, Verbatim } from '../field-error.js';
import type { IntOrString } from '../kubernetes.js';
import { intOrStringSyntax } from '../schema/go-syntax.js';
import { isEmptySelector } from '../selectors.js';
import type { UpdateStrategy } from '../sidecarset.js';
import { checkPercent } from './names.js';
import { validateSetSelector } from './selector.js';
import { selectorProblem } from './selector-problem.js';
import { showUpdateStrategy } from './show-update-strategy.js';

/** `spec.updateStrategy`: OpenKruise's rules, which hold for type RollingUpdate only. */
export function validateUpdateStrategy(strategy: UpdateStrategy, path: string): FieldError[] {
  if (strategy.type !== 'RollingUpdate') return [];
  const { selector, partition, maxUnavailable } = strategy;
  const errors: FieldError[] = [];
  if (selector && partition !== undefined && partition !== 0) {
    const shown = showUpdateStrategy(strategy);
    errors.push(invalid('updateStrategy', shown, 'Partition and Selector cannot be used together'));
  }
  if (selector) errors.push(...validateSetSelector(selector, `${path}.selector`));
  errors.push(...validateIntOrPercent(partition, `${path}.partition`));
  errors.push(...validateIntOrPercent(maxUnavailable, `${path}.maxUnavailable`));
  const priority = priorityProblem(strategy);
  if (priority !== undefined) errors.push(required(`${path}.priorityStrategy`, priority));
  const scatter = scatterProblem(strategy);
  if (scatter !== undefined) errors.push(required(`${path}.scatterStrategy`, scatter));
  return errors;
}

/** A number from 0, or a percentage. */
export function validateIntOrPercent(value: IntOrString | undefined, path: string): FieldError[] {
  if (value === undefined) return [];
  if (typeof value === 'number') {
    return value >= 0 ? [] : [invalid(path, value, 'must be greater than or equal to 0')];
  }
  const shown = new Verbatim(intOrStringSyntax(value));
  return checkPercent(value).map((problem) => invalid(path, shown, problem));
}

/** The first thing that is wrong with the priorities. */
function priorityProblem({ priorityStrategy }: UpdateStrategy): string | undefined {
  const { weightPriority = [], orderPriority = [] } = priorityStrategy ?? {};
  if (weightPriority.length > 0 && orderPriority.length > 0) {
    return 'only one of weightPriority and orderPriority can be used';
  }
  for (const { weight, matchSelector } of weightPriority) {
    // The words say 1, the rule says 0: as OpenKruise has it.
    if (weight < 0 || weight > 100) return 'weight must be valid number in the range 1-100';
    if (isEmptySelector(matchSelector)) return 'selector can not be empty';
    const problem = selectorProblem(matchSelector);
    if (problem !== undefined) return `invalid selector ${problem}`;
  }
  return orderPriority.some(({ orderedKey }) => orderedKey === '') ? 'order key can not be empty' : undefined;
}

function scatterProblem({ scatterStrategy = [] }: UpdateStrategy): string | undefined {
  const seen = new Set<string>();
  for (const { key, value } of scatterStrategy) {
    if (key === '') return 'key should not be empty';
    if (seen.has(`${key}:${value}`)) return `duplicated key=${key} value=${value}`;
    seen.add(`${key}:${value}`);
  }
  return undefined;
}
