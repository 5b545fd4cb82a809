import { type FieldError, invalid, required } from '../../field-error.js';
import { type Fields, isSet, recordOf, recordsOf, textOf } from '../fields.js';
import { VOLUME_FIELDS, validateFieldRef, validateResourceFieldRef } from './downward-api.js';
import { validateFileMode, validateFilePath } from './paths.js';

/** Kubernetes names the source, not the element, in the errors of a file. */
export function validateDownwardApiFile(file: Fields, path: string): FieldError[] {
  const name = textOf(file.path);
  return [
    ...(name === '' ? [required(`${path}.path`)] : []),
    ...validateFilePath(name, `${path}.path`),
    ...validateFileContent(file, path),
    ...validateFileMode(file.mode, `${path}.mode`),
  ];
}

function validateFileContent(file: Fields, path: string): FieldError[] {
  if (isSet(file.fieldRef)) {
    const errors = validateFieldRef(recordOf(file.fieldRef), `${path}.fieldRef`, VOLUME_FIELDS);
    if (!isSet(file.resourceFieldRef)) return errors;
    return [...errors, invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously')];
  }
  if (!isSet(file.resourceFieldRef)) return [required(path, 'one of fieldRef and resourceFieldRef is required')];
  return validateResourceFieldRef(recordOf(file.resourceFieldRef), `${path}.resourceFieldRef`, true);
}

export function validateDownwardApi(source: Fields, path: string): FieldError[] {
  return [
    ...validateFileMode(source.defaultMode, `${path}.defaultMode`),
    ...recordsOf(source.items).flatMap((file) => validateDownwardApiFile(file, path)),
  ];
}
