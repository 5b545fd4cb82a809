import { type FieldError, invalid, notSupported, required, Verbatim } from '../field-error.js';
import type { CrdSchema } from './crd-schema.js';
import { isRecord } from './go-json.js';

/** What the API server itself finds wrong with a value by the schema of a CRD, in its words. */
export function schemaErrors(schema: CrdSchema, value: unknown, path: string): FieldError[] {
  if (value === undefined) return [];
  if (!hasType(schema, value)) return [typeError(schema, value, path)];
  if (isRecord(value)) return objectErrors(schema, value, path);
  if (Array.isArray(value)) {
    return value.flatMap((each, i) => (schema.items ? schemaErrors(schema.items, each, `${path}[${i}]`) : []));
  }
  if (schema.enum && !schema.enum.includes(value as string)) return [notSupported(path, value, schema.enum)];
  if (schema.minimum !== undefined && (value as number) < schema.minimum) {
    return [invalid(path, value, `${path} in body should be greater than or equal to ${schema.minimum}`)];
  }
  return [];
}

function objectErrors(schema: CrdSchema, value: Record<string, unknown>, path: string): FieldError[] {
  const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const missing = (schema.required ?? []).filter((name) => !Object.hasOwn(value, name));
  return [
    ...missing.map((name) => required(at(name))),
    ...Object.entries(value).flatMap(([name, each]) => {
      const property = own(schema.properties, name) ?? schema.additionalProperties;
      return property === undefined ? [] : schemaErrors(property, each, at(name));
    }),
  ];
}

const own = (properties: Record<string, CrdSchema> | undefined, name: string): CrdSchema | undefined =>
  properties && Object.hasOwn(properties, name) ? properties[name] : undefined;

function hasType(schema: CrdSchema, value: unknown): boolean {
  if (schema['x-kubernetes-int-or-string']) return typeof value === 'string' || Number.isInteger(value);
  const found = jsonType(value);
  return schema.type === found || (schema.type === 'number' && found === 'integer');
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function typeError(schema: CrdSchema, value: unknown, path: string): FieldError {
  const type = schema['x-kubernetes-int-or-string'] ? 'integer,string' : schema.type;
  const found = jsonType(value);
  const shown = new Verbatim(`"${found}"`);
  return {
    ...invalid(path, shown, `${path} in body must be of type ${type}: "${found}"`),
    type: 'FieldValueTypeInvalid',
  };
}
