import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormatsModule from 'ajv-formats';
import type { FieldCause } from '../api-error.js';
import { inDoubles } from '../json.js';
import { isPlain } from '../patch/merge-patch.js';
import type { Schema } from './structural.js';

const addFormats = addFormatsModule as unknown as (ajv: Ajv) => void;

const compiled = new WeakMap<Schema, ValidateFunction>();

/** Bad fields of a custom resource by its schema, worded as the API server words them. */
export function validateBySchema(schema: Schema, object: Record<string, unknown>): FieldCause[] {
  const { metadata: _checkedApart, ...rest } = inDoubles(object) as Record<string, unknown>;
  const validate = validatorOf(schema);
  const causes = validate(rest) ? [] : (validate.errors ?? []).flatMap((error) => causeOf(error, rest));
  return dedupe([...causes, ...duplicates(schema, rest, '')]);
}

function validatorOf(schema: Schema): ValidateFunction {
  const known = compiled.get(schema);
  if (known) return known;
  const ajv = new Ajv({ strict: false, allErrors: true, verbose: true, validateFormats: true });
  addFormats(ajv);
  const fresh = ajv.compile(translate(schema) as object);
  compiled.set(schema, fresh);
  return fresh;
}

/** From the dialect of CustomResourceDefinitions to JSON Schema; metadata is the API server's own affair. */
function translate(schema: Schema): Schema {
  const { properties, items, additionalProperties, default: _default, ...rest } = schema;
  const translated: Schema = rest['x-kubernetes-int-or-string'] ? intOrString(rest) : { ...rest };
  delete translated.description;
  if (properties) {
    const own = Object.entries(properties).filter(([name]) => name !== 'metadata');
    translated.properties = Object.fromEntries(own.map(([name, property]) => [name, translate(property)]));
  }
  if (items) translated.items = translate(items);
  if (isPlain(additionalProperties)) translated.additionalProperties = translate(additionalProperties as Schema);
  if (translated.nullable && !translated.type) delete translated.nullable;
  return translated;
}

function intOrString(schema: Schema): Schema {
  const { anyOf: _types, ...rest } = schema;
  return { ...rest, type: ['integer', 'string', ...(schema.nullable ? ['null'] : [])] as unknown as string };
}

/** `/spec/containers/0/name` as `spec.containers[0].name`. */
function fieldOf(pointer: string, root: unknown): string {
  let text = '';
  let value = root;
  for (const part of pointer.split('/').slice(1)) {
    const step = part.replaceAll('~1', '/').replaceAll('~0', '~');
    text += Array.isArray(value) ? `[${step}]` : text === '' ? step : `.${step}`;
    value = (value as Record<string, unknown> | undefined)?.[step];
  }
  return text;
}

const typeOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;

function causeOf(error: ErrorObject, root: unknown): FieldCause[] {
  const field = fieldOf(error.instancePath, root);
  const shown = JSON.stringify(error.data);
  const bad = (text: string): FieldCause[] => [
    { reason: 'FieldValueInvalid', message: `Invalid value: ${shown}: ${field} in body ${text}`, field },
  ];
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'required': {
      const at = field === '' ? `${params.missingProperty}` : `${field}.${params.missingProperty}`;
      return [{ reason: 'FieldValueRequired', message: 'Required value', field: at }];
    }
    case 'type': {
      const type = typeOf(error.data);
      const wanted = Array.isArray(params.type) ? (params.type as string[]).join(',') : String(params.type);
      const message = `Invalid value: "${type}": ${field} in body must be of type ${wanted}: "${type}"`;
      return [{ reason: 'FieldValueTypeInvalid', message, field }];
    }
    case 'enum': {
      const values = (params.allowedValues as unknown[]).map((value) => JSON.stringify(value)).join(', ');
      return [
        {
          reason: 'FieldValueNotSupported',
          message: `Unsupported value: ${shown}: supported values: ${values}`,
          field,
        },
      ];
    }
    case 'minimum':
      return bad(`should be greater than or equal to ${params.limit}`);
    case 'maximum':
      return bad(`should be less than or equal to ${params.limit}`);
    case 'pattern':
      return bad(`should match '${params.pattern}'`);
    case 'format':
      return bad(`must be of type ${params.format}: ${shown}`);
    case 'maxLength':
      return [{ reason: 'FieldValueTooLong', message: `Too long: may not be more than ${params.limit} bytes`, field }];
    case 'minLength':
      return bad(`should be at least ${params.limit} chars long`);
    case 'minItems':
      return bad(`should have at least ${params.limit} items`);
    case 'maxItems':
      return [
        {
          reason: 'FieldValueTooMany',
          message: `Too many: ${(error.data as unknown[]).length}: must have at most ${params.limit} items`,
          field,
        },
      ];
    default:
      return bad(error.message ?? error.keyword);
  }
}

/** Items of a list of type `map` or `set` that occur twice. */
function duplicates(schema: Schema, value: unknown, path: string): FieldCause[] {
  if (Array.isArray(value)) {
    const below = value.flatMap((item, index) => duplicates(schema.items ?? {}, item, `${path}[${index}]`));
    return [...repeated(schema, value, path), ...below];
  }
  if (!isPlain(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const property = schema.properties?.[key];
    return property ? duplicates(property, item, path === '' ? key : `${path}.${key}`) : [];
  });
}

function repeated(schema: Schema, items: readonly unknown[], path: string): FieldCause[] {
  const type = schema['x-kubernetes-list-type'];
  if (type !== 'map' && type !== 'set') return [];
  const keys = (schema['x-kubernetes-list-map-keys'] ?? []) as string[];
  const identity = (item: unknown): string =>
    type === 'set'
      ? JSON.stringify(item)
      : JSON.stringify(Object.fromEntries(keys.map((key) => [key, isPlain(item) ? item[key] : undefined])));
  const seen = new Set<string>();
  return items.flatMap((item, index) => {
    const id = identity(item);
    if (!seen.has(id)) {
      seen.add(id);
      return [];
    }
    return [{ reason: 'FieldValueDuplicate', message: `Duplicate value: ${id}`, field: `${path}[${index}]` }];
  });
}

const dedupe = (causes: FieldCause[]): FieldCause[] =>
  causes.filter(
    (cause, index) =>
      causes.findIndex((other) => other.field === cause.field && other.message === cause.message) === index,
  );
