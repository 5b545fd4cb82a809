import { type FieldError, invalid, required } from '../../field-error.js';
import { type Fields, forEachIndex, invalidForEach, isSet, recordOf, textOf } from '../fields.js';
import { checkConfigKey, checkDnsSubdomain, checkEnvName } from '../names.js';
import { ENV_FIELDS, validateFieldRef, validateResourceFieldRef } from './downward-api.js';

export function validateEnv(env: unknown, path: string): FieldError[] {
  return forEachIndex(env, path, (variable, at) => {
    const name = textOf(variable.name);
    const errors = name === '' ? [required(`${at}.name`)] : invalidForEach(`${at}.name`, name, checkEnvName(name));
    return [...errors, ...validateValueFrom(variable, `${at}.valueFrom`)];
  });
}

function validateValueFrom(variable: Fields, path: string): FieldError[] {
  if (!isSet(variable.valueFrom)) return [];
  const source = recordOf(variable.valueFrom);
  const errors: FieldError[] = [];
  let sources = 0;
  const check = (name: string, validate: (ref: Fields, at: string) => FieldError[]) => {
    if (!isSet(source[name])) return;
    sources += 1;
    errors.push(...validate(recordOf(source[name]), `${path}.${name}`));
  };
  check('fieldRef', (ref, at) => validateFieldRef(ref, at, ENV_FIELDS));
  check('resourceFieldRef', (ref, at) => validateResourceFieldRef(ref, at, false));
  check('configMapKeyRef', validateKeyRef);
  check('secretKeyRef', validateKeyRef);
  if (sources === 0) {
    const rule = 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`';
    errors.push(invalid(path, '', rule));
  } else if (textOf(variable.value) !== '') {
    errors.push(invalid(path, '', 'may not be specified when `value` is not empty'));
  } else if (sources > 1) {
    errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
  }
  return errors;
}

function validateKeyRef(ref: Fields, path: string): FieldError[] {
  const name = textOf(ref.name);
  const key = textOf(ref.key);
  return [
    ...invalidForEach(`${path}.name`, name, checkDnsSubdomain(name)),
    ...(key === '' ? [required(`${path}.key`)] : invalidForEach(`${path}.key`, key, checkConfigKey(key))),
  ];
}

export function validateEnvFrom(envFrom: unknown, path: string): FieldError[] {
  return forEachIndex(envFrom, path, (source, at) => {
    const prefix = textOf(source.prefix);
    const errors = prefix === '' ? [] : invalidForEach(`${at}.prefix`, prefix, checkEnvName(prefix));
    const refs = ['configMapRef', 'secretRef'].filter((name) => isSet(source[name]));
    for (const name of refs) errors.push(...validateEnvSource(recordOf(source[name]), `${at}.${name}`));
    if (refs.length === 0) errors.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    if (refs.length > 1) errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
    return errors;
  });
}

function validateEnvSource(source: Fields, path: string): FieldError[] {
  const name = textOf(source.name);
  if (name === '') return [required(`${path}.name`)];
  // The API server checks these as prefixes of a name, which may end with a dash.
  return invalidForEach(`${path}.name`, name, checkDnsSubdomain(maskTrailingDash(name)));
}

const maskTrailingDash = (name: string): string =>
  name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
