import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
  Verbatim,
} from '../../field-error.js';
import { compareQuantities, formatQuantity, parseQuantity, type Quantity, quantityMilliValue } from '../../quantity.js';
import { type Fields, forEachIndex, invalidForEach, recordOf, textOf } from '../fields.js';
import { checkDnsLabel, checkQualifiedName } from '../names.js';

const CONTAINER_RESOURCES = new Set(['cpu', 'memory', 'ephemeral-storage']);
const STANDARD_RESOURCES = new Set([
  ...CONTAINER_RESOURCES,
  ...['cpu', 'memory', 'ephemeral-storage', 'storage'].map((name) => `requests.${name}`),
  ...['cpu', 'memory', 'ephemeral-storage'].map((name) => `limits.${name}`),
  ...['pods', 'resourcequotas', 'services', 'replicationcontrollers', 'secrets', 'configmaps', 'storage'],
  ...['persistentvolumeclaims', 'services.nodeports', 'services.loadbalancers'],
]);
const COUNTED_RESOURCES = new Set([
  ...['pods', 'resourcequotas', 'services', 'replicationcontrollers', 'secrets', 'configmaps'],
  ...['persistentvolumeclaims', 'services.nodeports', 'services.loadbalancers'],
]);

/** Resource names can print themselves in Go, and so come without quotes. */
const plain = (name: string): Verbatim => new Verbatim(name);

const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');
const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && checkQualifiedName(`requests.${name}`).length === 0;
/** More than there is may be promised of what can be shared. */
const mayOvercommit = (name: string): boolean => isNative(name) && !isHugePages(name);

export function validateResources(resources: Fields, path: string): FieldError[] {
  const limits = quantitiesOf(resources.limits);
  const requests = quantitiesOf(resources.requests);
  const errors: FieldError[] = [];
  for (const [name, quantity] of limits) errors.push(...validateResource(name, quantity, `${path}.limits[${name}]`));
  for (const [name, quantity] of requests) {
    errors.push(...validateResource(name, quantity, `${path}.requests[${name}]`));
    errors.push(...compareToLimit(name, quantity, limits.get(name), path));
  }
  const names = [...limits.keys(), ...requests.keys()];
  if (names.some(isHugePages) && !names.includes('cpu') && !names.includes('memory')) {
    errors.push(forbidden(path, 'HugePages require cpu or memory'));
  }
  return [...errors, ...validateClaims(resources.claims, `${path}.claims`)];
}

/** In order of names: Go walks such a map in any order. */
function quantitiesOf(list: unknown): Map<string, Quantity> {
  const entries = Object.entries(recordOf(list)).sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(entries.map(([name, value]) => [name, parseQuantity(value as string | number)]));
}

function validateResource(name: string, quantity: Quantity, path: string): FieldError[] {
  const errors = validateResourceName(name, path);
  if (quantity.unscaled < 0n) {
    errors.push(invalid(path, formatQuantity(quantity), 'must be greater than or equal to 0'));
  }
  const isCounted = COUNTED_RESOURCES.has(name) || isExtended(name);
  if (isCounted && quantityMilliValue(quantity) % 1000n !== 0n) {
    errors.push(invalid(path, new Verbatim(goQuantity(quantity)), 'must be an integer'));
  }
  return errors;
}

function validateResourceName(name: string, path: string): FieldError[] {
  const shown = plain(name);
  const errors = invalidForEach(path, shown, checkQualifiedName(name));
  const isQualified = name.split('/').length > 1;
  if (errors.length === 0 && !isQualified && !STANDARD_RESOURCES.has(name) && !/^(requests\.)?hugepages-/.test(name)) {
    errors.push(invalid(path, shown, 'must be a standard resource type or fully qualified'));
  }
  if (!isQualified) {
    if (CONTAINER_RESOURCES.has(name) || isHugePages(name)) return errors;
    return [...errors, invalid(path, shown, 'must be a standard resource for containers')];
  }
  if (isNative(name) || isExtended(name)) return errors;
  return [...errors, invalid(path, shown, "doesn't follow extended resource name standard")];
}

function compareToLimit(name: string, request: Quantity, limit: Quantity | undefined, path: string): FieldError[] {
  const at = `${path}.requests`;
  if (limit === undefined) {
    return mayOvercommit(name)
      ? []
      : [required(`${path}.limits`, 'Limit must be set for non overcommitable resources')];
  }
  const difference = compareQuantities(request, limit);
  const limitText = `${name} limit of ${formatQuantity(limit)}`;
  if (difference !== 0 && !mayOvercommit(name)) {
    return [invalid(at, formatQuantity(request), `must be equal to ${limitText}`)];
  }
  if (difference <= 0) return [];
  return [invalid(at, formatQuantity(request), `must be less than or equal to ${limitText}`)];
}

/** A quantity as Go's `%#v` shows the struct. */
function goQuantity({ unscaled, scale, format, text = '' }: Quantity): string {
  const amount = `i:resource.int64Amount{value:${unscaled}, scale:${scale}}`;
  return `resource.Quantity{${amount}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"${text}", Format:"${format}"}`;
}

/** The pod of a SidecarSet has no resource claims to refer to. */
function validateClaims(claims: unknown, path: string): FieldError[] {
  const seen = new Set<string>();
  return forEachIndex(claims, path, (claim, at) => {
    const name = textOf(claim.name);
    if (name === '') return [required(at)];
    const unknown = {
      ...notFound(at, name),
      detail: 'must be one of the names in pod.spec.resourceClaims which is empty',
    };
    return [...validateClaimUse(name, textOf(claim.request), seen, at), unknown];
  });
}

function validateClaimUse(name: string, request: string, seen: Set<string>, path: string): FieldError[] {
  if (seen.has(name)) return [duplicate(path, name)];
  const errors = request === '' ? [] : invalidForEach(`${path}.request`, request, checkDnsLabel(request));
  const key = request === '' ? name : `${name}/${request}`;
  if (seen.has(key)) errors.push(duplicate(path, key));
  else if (request === '') {
    errors.push(
      ...[...seen]
        .filter((other) => other.includes('/') && other.slice(0, other.indexOf('/')) === name)
        .map(() => duplicate(path, name)),
    );
  }
  seen.add(key);
  return errors;
}

const RESIZABLE = ['cpu', 'memory'];
const RESIZE_POLICIES = ['NotRequired', 'RestartContainer'];

export function validateResizePolicy(policies: unknown, path: string): FieldError[] {
  const seen = new Set<string>();
  return forEachIndex(policies, path, (policy, at) => {
    const resource = textOf(policy.resourceName);
    const restartPolicy = textOf(policy.restartPolicy);
    const errors = seen.has(resource) ? [duplicate(at, plain(resource))] : [];
    seen.add(resource);
    return [
      ...errors,
      ...validateOneOf(resource, RESIZABLE, path, plain(resource)),
      ...validateOneOf(restartPolicy, RESIZE_POLICIES, path, restartPolicy),
    ];
  });
}

function validateOneOf(value: string, allowed: readonly string[], path: string, shown: unknown): FieldError[] {
  if (value === '') return [required(path)];
  return allowed.includes(value) ? [] : [notSupported(path, shown, allowed)];
}
