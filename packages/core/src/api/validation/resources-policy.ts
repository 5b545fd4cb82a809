import { evaluateResourceExpression, resourceAmount } from '../../injection/evaluate-resource-expression.js';
import { parseResourceExpression, ResourceExpressionError } from '../../injection/resource-expression.js';
import { type FieldError, invalid, required, Verbatim } from '../field-error.js';
import { GoRegexpError, parseGoRegexp } from '../go-regexp/go-regexp.js';
import { goSyntax } from '../schema/go-syntax.js';
import { RESOURCES_EXPR, RESOURCES_POLICY } from '../schema/sidecar-container-types.js';
import type { ResourceExpressions, SidecarContainer } from '../sidecarset.js';

/** `resourcesPolicy` of a sidecar, which stands in for `resources`. */
export function validateResourcesPolicy(container: SidecarContainer, path: string): FieldError[] {
  const policy = container.resourcesPolicy;
  if (!policy) return [];
  const { limits = {}, requests = {} } = container.resources ?? {};
  if (Object.keys(limits).length > 0 || Object.keys(requests).length > 0) {
    return [refused(container, path, 'resourcesPolicy and resources cannot be configured together')];
  }
  return [
    ...validateTargets(policy.targetContainersNameRegex ?? '', `${path}.targetContainersNameRegex`),
    ...validateExpressions(policy.resourcesExpr ?? {}, `${path}.resourcesExpr`),
  ];
}

/** The error about a policy as a whole. */
export function refused(container: SidecarContainer, path: string, detail: string): FieldError {
  return invalid(path, new Verbatim(goSyntax(RESOURCES_POLICY, container.resourcesPolicy)), detail);
}

function validateTargets(pattern: string, path: string): FieldError[] {
  if (pattern === '') return [required(path, 'invalid empty regex')];
  try {
    parseGoRegexp(pattern);
    return [];
  } catch (error) {
    if (!(error instanceof GoRegexpError)) throw error;
    return [invalid(path, pattern, `invalid regex pattern: ${error.message}`)];
  }
}

type Expressions = { limits?: ResourceExpressions; requests?: ResourceExpressions };

function validateExpressions(expressions: Expressions, path: string): FieldError[] {
  const { limits, requests } = expressions;
  if (!limits && !requests) {
    const shown = new Verbatim(goSyntax(RESOURCES_EXPR, expressions));
    return [invalid(path, shown, 'at least one of limits or requests must be configured')];
  }
  return [
    ...(limits ? validateExpressionPair(limits, `${path}.limits`) : []),
    ...(requests ? validateExpressionPair(requests, `${path}.requests`) : []),
  ];
}

function validateExpressionPair(pair: ResourceExpressions, path: string): FieldError[] {
  return (['cpu', 'memory'] as const).flatMap((variable) => {
    const text = pair[variable];
    if (!text) return [];
    try {
      resourceAmount(evaluateResourceExpression(parseResourceExpression(text), { [variable]: 1 }), variable);
      return [];
    } catch (error) {
      if (!(error instanceof ResourceExpressionError)) throw error;
      return [invalid(`${path}.${variable}`, text, `invalid expression: ${error.message}`)];
    }
  });
}
