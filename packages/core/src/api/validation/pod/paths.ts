import { type FieldError, invalid } from '../../field-error.js';

/** A path in a volume that must not lead out of it. */
export function validateRelativePath(path: string, field: string): FieldError[] {
  const absolute = path.startsWith('/') ? [invalid(field, path, 'must be a relative path')] : [];
  return [...absolute, ...validateNoParentSteps(path, field)];
}

export function validateNoParentSteps(path: string, field: string): FieldError[] {
  return path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : [];
}

/** As {@link validateRelativePath}; names that begin with two dots are the kubelet's own. */
export function validateFilePath(path: string, field: string): FieldError[] {
  const errors = validateRelativePath(path, field);
  if (path.startsWith('..') && !path.startsWith('../')) errors.push(invalid(field, path, "must not start with '..'"));
  return errors;
}

/** A file mode, if there is one. */
export function validateFileMode(mode: unknown, field: string): FieldError[] {
  if (typeof mode !== 'number' || (mode >= 0 && mode <= 0o777)) return [];
  return [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}
