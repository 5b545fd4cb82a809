import { type FieldError, forbidden, invalid, required, Verbatim } from '../field-error.js';
import type { LabelSelector } from '../kubernetes.js';
import { goSyntax } from '../schema/go-syntax.js';
import { LABEL_SELECTOR } from '../schema/selector-types.js';
import { isEmptySelector } from '../selectors.js';
import { forEachIndex, invalidForEach, listOf, textOf } from './fields.js';
import { validateLabels } from './metadata.js';
import { checkLabelValue, checkQualifiedName } from './names.js';

/** A label selector as Kubernetes validates it. */
export function validateLabelSelector(selector: LabelSelector, path: string): FieldError[] {
  return [
    ...validateLabels(selector.matchLabels ?? {}, `${path}.matchLabels`),
    ...forEachIndex(selector.matchExpressions, `${path}.matchExpressions`, (requirement, at) => {
      const values = listOf(requirement.values).map(textOf);
      const key = textOf(requirement.key);
      return [
        ...validateOperator(textOf(requirement.operator), values, at),
        ...invalidForEach(`${at}.key`, key, checkQualifiedName(key)),
        ...values.flatMap((value, i) => invalidForEach(`${at}.values[${i}]`, value, checkLabelValue(value))),
      ];
    }),
  ];
}

function validateOperator(operator: string, values: string[], path: string): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length > 0) return [];
      return [required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
    case 'Exists':
    case 'DoesNotExist':
      if (values.length === 0) return [];
      return [forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
    default:
      return [invalid(`${path}.operator`, operator, 'not a valid selector operator')];
  }
}

/** A selector of a SidecarSet, which must also select by something. */
export function validateSetSelector(selector: LabelSelector, path: string): FieldError[] {
  const errors = validateLabelSelector(selector, path);
  const shown = new Verbatim(goSyntax(LABEL_SELECTOR, selector));
  // Whatever is wrong with a selector, OpenKruise says it once more of the selector as a whole.
  const summary = errors.length > 0 ? [invalid(`${path}.selector`, shown, '')] : [];
  const empty = isEmptySelector(selector) ? [invalid(path, shown, 'empty selector is not valid for sidecarset.')] : [];
  return [...errors, ...empty, ...summary];
}
