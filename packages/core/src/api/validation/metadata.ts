import { type FieldError, forbidden, invalid, required } from '../field-error.js';
import type { ObjectMeta } from '../kubernetes.js';
import { invalidForEach } from './fields.js';
import { checkLabelValue, checkQualifiedName, formatRule, tooManyCharacters } from './names.js';

const NAME = '^[a-zA-Z0-9\\-]+$';
const LONGEST_NAME = 63;
const ANNOTATIONS_BYTES = 256 * 1024;

function checkSetName(name: string): string[] {
  const problems: string[] = [];
  if (!new RegExp(NAME).test(name)) {
    problems.push(formatRule("sidecarset name must consist of alphanumeric characters or '-'", NAME, 'example-com'));
  }
  if (Buffer.byteLength(name) > LONGEST_NAME) problems.push(tooManyCharacters(LONGEST_NAME));
  return problems;
}

/** Name, labels and annotations of a SidecarSet; the API server has checked the rest. */
export function validateMetadata(metadata: ObjectMeta, path: string): FieldError[] {
  const { name = '', generateName = '', namespace = '' } = metadata;
  return [
    ...(generateName === '' ? [] : invalidForEach(`${path}.generateName`, generateName, checkSetName(generateName))),
    ...(name === ''
      ? [required(`${path}.name`, 'name or generateName is required')]
      : invalidForEach(`${path}.name`, name, checkSetName(name))),
    ...(namespace === '' ? [] : [forbidden(`${path}.namespace`, 'not allowed on this type')]),
    ...validateLabels(metadata.labels ?? {}, `${path}.labels`),
    ...validateAnnotations(metadata.annotations ?? {}, `${path}.annotations`),
  ];
}

/** Go walks a map in any order; errors come sorted by key here. */
const sortedKeys = (map: object): string[] => Object.keys(map).sort();

export function validateLabels(labels: Record<string, unknown>, path: string): FieldError[] {
  return sortedKeys(labels).flatMap((key) => [
    ...invalidForEach(path, key, checkQualifiedName(key)),
    ...checkLabelValue(String(labels[key])).map((problem) => invalid(path, labels[key], problem)),
  ]);
}

export function validateAnnotations(annotations: Record<string, unknown>, path: string): FieldError[] {
  const errors = sortedKeys(annotations).flatMap((key) =>
    invalidForEach(path, key, checkQualifiedName(key.toLowerCase())),
  );
  const bytes = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(String(value)),
    0,
  );
  if (bytes > ANNOTATIONS_BYTES) {
    errors.push({ type: 'FieldValueTooLong', field: path, detail: `may not be more than ${ANNOTATIONS_BYTES} bytes` });
  }
  return errors;
}
