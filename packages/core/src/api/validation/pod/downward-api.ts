import { type FieldError, invalid, notSupported, required } from '../../field-error.js';
import { formatQuantity, parseQuantity } from '../../quantity.js';
import { type Fields, invalidForEach, textOf } from '../fields.js';
import { checkQualifiedName } from '../names.js';

/** Fields of a pod that its containers may read in env, sorted. */
export const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

/** Fields of a pod that a volume may show, sorted. */
export const VOLUME_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

const KNOWN_FIELDS = new Set([
  ...ENV_FIELDS,
  ...VOLUME_FIELDS,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
]);

/** `metadata.labels['key']` split into the field and the key. */
export function splitSubscript(fieldPath: string): { path: string; key?: string } {
  const match = /^(.+?)\['(.*)'\]$/s.exec(fieldPath);
  return match ? { path: match[1] ?? '', key: match[2] ?? '' } : { path: fieldPath };
}

/** What Kubernetes says about a field reference of a version that is no field, or `undefined`. */
function unknownField(apiVersion: string, fieldPath: string): string | undefined {
  if (apiVersion !== 'v1') return `unsupported pod version: ${apiVersion}`;
  const { path, key } = splitSubscript(fieldPath);
  if (key === undefined) {
    return KNOWN_FIELDS.has(path) || path === 'spec.host' ? undefined : `field label not supported: ${fieldPath}`;
  }
  const isMap = path === 'metadata.annotations' || path === 'metadata.labels';
  return isMap ? undefined : `field label does not support subscript: ${fieldPath}`;
}

/** A reference to a field of the pod. `convert` tells what is no field at all, `fields` which ones are allowed here. */
export function validateFieldRef(
  ref: Fields,
  path: string,
  fields: readonly string[],
  convert: (apiVersion: string, fieldPath: string) => string | undefined = unknownField,
): FieldError[] {
  const apiVersion = textOf(ref.apiVersion);
  const fieldPath = textOf(ref.fieldPath);
  if (apiVersion === '') return [required(`${path}.apiVersion`)];
  if (fieldPath === '') return [required(`${path}.fieldPath`)];
  const problem = convert(apiVersion, fieldPath);
  if (problem !== undefined) return [invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${problem}`)];
  const { path: field, key } = splitSubscript(fieldPath);
  if (key !== undefined) {
    // The case of annotation keys does not matter.
    const checked = field === 'metadata.annotations' ? key.toLowerCase() : key;
    return invalidForEach(path, checked, checkQualifiedName(checked));
  }
  const internal = field === 'spec.host' ? 'spec.nodeName' : field;
  return fields.includes(internal) ? [] : [notSupported(`${path}.fieldPath`, internal, fields)];
}

const RESOURCES = ['cpu', 'ephemeral-storage', 'memory'];
const RESOURCE_FIELDS = ['limits', 'requests'].flatMap((list) => RESOURCES.map((name) => `${list}.${name}`));
const HUGE_PAGES = ['limits.hugepages-', 'requests.hugepages-'];

/** A reference to a resource of a container; in a volume it must name the container. */
export function validateResourceFieldRef(ref: Fields, path: string, inVolume: boolean): FieldError[] {
  const resource = textOf(ref.resource);
  const errors: FieldError[] = [];
  if (inVolume && textOf(ref.containerName) === '') errors.push(required(`${path}.containerName`));
  else if (resource === '') errors.push(required(`${path}.resource`));
  else if (!RESOURCE_FIELDS.includes(resource) && !HUGE_PAGES.some((prefix) => resource.startsWith(prefix))) {
    errors.push(notSupported(`${path}.resource`, resource, RESOURCE_FIELDS));
  }
  return [...errors, ...validateDivisor(resource, ref.divisor, path)];
}

const BYTE_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

function validateDivisor(resource: string, value: unknown, path: string): FieldError[] {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return [];
  const divisor = parseQuantity(value);
  if (divisor.unscaled === 0n) return [];
  const [allowed, list, name] = divisorRule(resource);
  if (allowed.length === 0 || allowed.includes(formatQuantity(divisor))) return [];
  const detail = `only divisor's values ${list} are supported with the ${name} resource`;
  return [invalid(`${path}.divisor`, resource, detail)];
}

function divisorRule(resource: string): [allowed: string[], list: string, name: string] {
  const bytes = BYTE_DIVISORS.join(', ');
  if (/^(limits|requests)\.hugepages-/.test(resource)) return [BYTE_DIVISORS, bytes, 'hugepages'];
  switch (resource.replace(/^(limits|requests)\./, '')) {
    case 'cpu':
      return [['1m', '1'], '1m and 1', 'cpu'];
    case 'memory':
      return [BYTE_DIVISORS, bytes, 'memory'];
    case 'ephemeral-storage':
      return [BYTE_DIVISORS, bytes, 'local ephemeral storage'];
    default:
      return [[], '', ''];
  }
}
