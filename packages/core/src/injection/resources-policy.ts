import { isNativeSidecar } from '../api/container-kinds.js';
import { quoteGo } from '../api/field-error.js';
import { type GoRegexp, GoRegexpError, parseGoRegexp } from '../api/go-regexp/go-regexp.js';
import type { Container, IntOrString, Pod, ResourceRequirements } from '../api/kubernetes.js';
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  QuantityError,
} from '../api/quantity.js';
import type { ResourcesPolicy } from '../api/sidecarset.js';
import { evaluateResourceExpression, resourceAmount } from './evaluate-resource-expression.js';
import { InjectionRefused } from './injection-plan.js';
import { parseResourceExpression, type ResourceExpression, ResourceExpressionError } from './resource-expression.js';

const KINDS = ['limits', 'requests'] as const;
const RESOURCES = ['cpu', 'memory'] as const;
type Kind = (typeof KINDS)[number];
type Resource = (typeof RESOURCES)[number];

/** A `resourcesPolicy` with its pattern and expressions read. */
export interface CompiledResourcesPolicy {
  mode: string;
  pattern: string;
  /** What is wrong with the pattern, if it cannot be read: then pods are refused, as in OpenKruise. */
  targets: GoRegexp | GoRegexpError;
  expressions: { kind: Kind; resource: Resource; expression: ResourceExpression }[];
}

export function compileResourcesPolicy(policy: ResourcesPolicy): CompiledResourcesPolicy {
  const pattern = policy.targetContainersNameRegex ?? '';
  const expressions = KINDS.flatMap((kind) =>
    RESOURCES.flatMap((resource) => {
      const text = policy.resourcesExpr?.[kind]?.[resource];
      return text ? [{ kind, resource, expression: parseResourceExpression(text) }] : [];
    }),
  );
  return { mode: policy.targetContainersMode ?? '', pattern, targets: readPattern(pattern), expressions };
}

function readPattern(pattern: string): GoRegexp | GoRegexpError {
  try {
    return parseGoRegexp(pattern);
  } catch (error) {
    if (error instanceof GoRegexpError) return error;
    throw error;
  }
}

/**
 * The resources of a sidecar, computed from those of the pod's own containers and native sidecars (OpenKruise 1.9).
 *
 * A limit that one of the targets lacks stays unset; a missing request counts as zero.
 *
 * @param sidecarNames base names of all containers of the injected SidecarSets, which are never a target
 * @throws {InjectionRefused} with OpenKruise's message when nothing matches or an expression cannot be computed
 */
export function resourcesByPolicy(
  policy: CompiledResourcesPolicy,
  pod: Pod,
  sidecarNames: ReadonlySet<string>,
): ResourceRequirements {
  const targets = targetContainers(policy, pod, sidecarNames);
  const resources: { limits?: Record<string, string>; requests?: Record<string, string> } = {};
  for (const { kind, resource, expression } of policy.expressions) {
    const total = aggregate(targets, policy.mode, kind, resource);
    if (total === undefined) continue;
    const value = computed(expression, total, kind, resource);
    resources[kind] = { ...resources[kind], [resource]: formatQuantity(value) };
  }
  return resources;
}

function targetContainers(policy: CompiledResourcesPolicy, pod: Pod, sidecarNames: ReadonlySet<string>): Container[] {
  const quoted = quoteGo(policy.pattern);
  const { targets } = policy;
  if (targets instanceof GoRegexpError) {
    throw refused(`failed to get target containers: invalid regex pattern ${quoted}: ${targets.message}`, targets);
  }
  const native = (pod.spec.initContainers ?? []).filter(isNativeSidecar);
  const found = [...native, ...pod.spec.containers].filter(({ name }) => !sidecarNames.has(name) && targets.test(name));
  if (found.length === 0) throw refused(`no containers match the regex pattern ${quoted}`);
  return found;
}

const ZERO: Quantity = { unscaled: 0n, scale: 0, format: 'DecimalSI' };

/** Undefined means unlimited. A mode that is neither sum nor max finds nothing, as in OpenKruise. */
function aggregate(targets: Container[], mode: string, kind: Kind, resource: Resource): Quantity | undefined {
  const given = targets.map((container) => amountOf(container.resources?.[kind], resource));
  const present = given.filter((amount) => amount !== undefined);
  if (kind === 'limits' && present.length < given.length) return undefined;
  if (mode === 'sum') return present.reduce(addQuantities, ZERO);
  if (mode === 'max')
    return present.reduce((most, amount) => (compareQuantities(amount, most) > 0 ? amount : most), ZERO);
  return kind === 'limits' ? undefined : ZERO;
}

function amountOf(amounts: Record<string, IntOrString> | undefined, resource: Resource): Quantity | undefined {
  const amount = amounts?.[resource];
  if (amount === undefined) return undefined;
  try {
    return parseQuantity(amount);
  } catch (error) {
    if (error instanceof QuantityError) throw refused(error.message, error);
    throw error;
  }
}

function computed(expression: ResourceExpression, total: Quantity, kind: Kind, resource: Resource): Quantity {
  // The name that the aggregate goes by follows from the text, not from the field it stands in.
  const variable = /\bmemory\b/.test(expression.text) ? 'memory' : 'cpu';
  try {
    return resourceAmount(evaluateResourceExpression(expression, { [variable]: total }), variable);
  } catch (error) {
    if (!(error instanceof ResourceExpressionError || error instanceof QuantityError)) throw error;
    const what = `${resource === 'cpu' ? 'CPU' : 'memory'} ${kind}`;
    const quoted = quoteGo(expression.text);
    throw refused(
      `failed to evaluate ${what} expression: failed to parse expression ${quoted}: ${error.message}`,
      error,
    );
  }
}

function refused(message: string, cause?: unknown): InjectionRefused {
  return new InjectionRefused(message, "Change the SidecarSet's resourcesPolicy so that it fits this pod.", cause);
}
