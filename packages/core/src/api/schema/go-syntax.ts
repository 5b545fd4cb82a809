import { quoteGo } from '../field-error.js';
import { compareBytes, isRecord } from './go-json.js';
import type { Field, Shape } from './shape.js';

/** Stands for the addresses that Go prints, which differ from run to run; readers of such messages mask them. */
export const GO_ADDRESS = '0xc000000000';

const SCALAR_TYPES = { string: 'string', boolean: 'bool', int32: 'int32', int64: 'int64' } as const;

function typeName(shape: Shape): string {
  switch (shape.kind) {
    case 'struct':
      return `${shape.isKubernetes ? 'v1' : 'v1beta1'}.${shape.goName}`;
    case 'list':
      return `[]${typeName(shape.of)}`;
    case 'map':
      return `map[string]${typeName(shape.of)}`;
    case 'intOrString':
      return 'intstr.IntOrString';
    case 'quantity':
      return 'resource.Quantity';
    default:
      return SCALAR_TYPES[shape.kind];
  }
}

/** A value as Go's `%#v` prints it, which is how field errors show structs. Sidestep's own fields are left out. */
export function goSyntax(shape: Shape, value: unknown): string {
  switch (shape.kind) {
    case 'struct': {
      const fields = shape.fields.filter((field) => !field.own);
      const held = isRecord(value) ? value : {};
      return `${typeName(shape)}{${fields.map((field) => `${field.goName}:${fieldSyntax(field, held[field.name])}`).join(', ')}}`;
    }
    case 'list':
      if (!Array.isArray(value)) return `${typeName(shape)}(nil)`;
      return `${typeName(shape)}{${value.map((each) => goSyntax(shape.of, each)).join(', ')}}`;
    case 'map': {
      if (!isRecord(value)) return `${typeName(shape)}(nil)`;
      const keys = Object.keys(value).sort(compareBytes);
      return `${typeName(shape)}{${keys.map((key) => `${quoteGo(key)}:${goSyntax(shape.of, value[key])}`).join(', ')}}`;
    }
    case 'string':
      return quoteGo(typeof value === 'string' ? value : '');
    case 'boolean':
      return String(value === true);
    case 'intOrString':
      return intOrStringSyntax(value);
    default:
      return String(typeof value === 'number' || typeof value === 'bigint' ? value : 0);
  }
}

function fieldSyntax({ presence, shape }: Field, value: unknown): string {
  if (presence !== 'pointer') return goSyntax(shape, value);
  const isNil = value === undefined || value === null;
  return `(*${typeName(shape)})(${isNil ? 'nil' : GO_ADDRESS})`;
}

/** An int-or-string as Go's `%#v` prints it. */
export function intOrStringSyntax(value: unknown): string {
  const isText = typeof value === 'string';
  const number = typeof value === 'number' ? value : 0;
  return `intstr.IntOrString{Type:${isText ? 1 : 0}, IntVal:${number}, StrVal:${quoteGo(isText ? value : '')}}`;
}
