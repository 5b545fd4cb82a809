import { formatQuantity, parseQuantity, QuantityError } from '../quantity.js';
import type { Field, Shape, StructShape } from './shape.js';

type Fields = Record<string, unknown>;

/**
 * The bytes that Go's `encoding/json` writes for a value of this type: fields in the type's order, empty ones left out as their
 * presence says, map keys sorted, quantities in canonical spelling, HTML characters escaped. Unknown fields are not written.
 */
export function goJson(shape: Shape, value: unknown): string {
  switch (shape.kind) {
    case 'struct':
      return structJson(shape, isRecord(value) ? value : {});
    case 'list':
      return Array.isArray(value) ? `[${value.map((each) => goJson(shape.of, each)).join(',')}]` : 'null';
    case 'map':
      return isRecord(value) ? mapJson(shape.of, value) : 'null';
    case 'quantity':
      return stringJson(quantityText(value ?? 0));
    case 'string':
      return stringJson(typeof value === 'string' ? value : '');
    case 'intOrString':
      return typeof value === 'string' ? stringJson(value) : numberJson(value);
    case 'boolean':
      return value === true ? 'true' : 'false';
    default:
      return numberJson(value);
  }
}

function structJson(shape: StructShape, value: Fields): string {
  const parts: string[] = [];
  for (const field of shape.fields) {
    const held = value[field.name];
    if (!isWritten(field, held)) continue;
    parts.push(`"${field.name}":${isUnset(held) && field.nullable ? 'null' : goJson(field.shape, held)}`);
  }
  return `{${parts.join(',')}}`;
}

function mapJson(of: Shape, value: Fields): string {
  const keys = Object.keys(value).sort(compareBytes);
  return `{${keys.map((key) => `${stringJson(key)}:${goJson(of, value[key])}`).join(',')}}`;
}

const isUnset = (value: unknown): value is undefined | null => value === undefined || value === null;

/** Whether Go writes this field when it holds this value. */
function isWritten(field: Field, value: unknown): boolean {
  if (field.presence === 'always') return true;
  if (field.presence === 'pointer') return !isUnset(value);
  return field.shape.kind === 'struct' || field.shape.kind === 'quantity' || !isEmpty(value);
}

function isEmpty(value: unknown): boolean {
  if (isUnset(value) || value === '' || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.keys(value).length === 0;
}

/**
 * The value as it comes out of being read into the Go type and written again: empty fields gone, constant objects present,
 * quantities in canonical spelling. Fields that the type does not know are kept. The result shares nothing with its input.
 */
export function goRoundTrip(shape: Shape, value: unknown): unknown {
  return roundTrip(shape, value, true);
}

/** As {@link goRoundTrip} without the fields that the type does not know. */
export function knownFields(shape: Shape, value: unknown): unknown {
  return roundTrip(shape, value, false);
}

function roundTrip(shape: Shape, value: unknown, keepUnknown: boolean): unknown {
  switch (shape.kind) {
    case 'struct':
      return structRoundTrip(shape, isRecord(value) ? value : {}, keepUnknown);
    case 'list':
      return Array.isArray(value) ? value.map((each) => roundTrip(shape.of, each, keepUnknown)) : null;
    case 'map':
      return isRecord(value)
        ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, roundTrip(shape.of, each, keepUnknown)]))
        : null;
    case 'quantity':
      return quantityText(value ?? 0);
    case 'string':
      return typeof value === 'string' ? value : '';
    case 'boolean':
      return value === true;
    case 'intOrString':
      return typeof value === 'string' ? value : integer(value);
    default:
      return integer(value);
  }
}

function structRoundTrip(shape: StructShape, value: Fields, keepUnknown: boolean): Fields {
  const result: Fields = {};
  for (const field of shape.fields) {
    const held = value[field.name];
    if (!isWritten(field, held)) continue;
    result[field.name] = isUnset(held) && field.nullable ? null : roundTrip(field.shape, held, keepUnknown);
  }
  if (!keepUnknown) return result;
  for (const name of Object.keys(value)) {
    if (!shape.byName.has(name) && !isUnset(value[name])) define(result, name, structuredClone(value[name]));
  }
  return result;
}

/** Assigns without waking a setter: a field may be called `__proto__`. */
function define(target: Fields, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Text that is no quantity stays as it is, for validation to refuse. */
function quantityText(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return '0';
  try {
    return formatQuantity(parseQuantity(value));
  } catch (error) {
    if (error instanceof QuantityError) return String(value);
    throw error;
  }
}

/** One that a double cannot hold is a `bigint`, and stays one. */
const integer = (value: unknown): number | bigint => (typeof value === 'bigint' ? value : Number(value ?? 0));

function numberJson(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'number' ? JSON.stringify(value) : '0';
}

const LONE_SURROGATE = /\p{Surrogate}/gu;
const HTML = /[<>&\u2028\u2029]/g;

/** A JSON string as Go writes it. */
export function stringJson(text: string): string {
  return JSON.stringify(text.replace(LONE_SURROGATE, '\ufffd')).replace(
    HTML,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Any JSON value as Go writes it when it knows no type: keys sorted at every level. A `bigint` is printed with all of its digits.
 */
export function genericJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(genericJson).join(',')}]`;
  if (isRecord(value)) {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined);
    return `{${keys
      .sort(compareBytes)
      .map((key) => `${stringJson(key)}:${genericJson(value[key])}`)
      .join(',')}}`;
  }
  if (typeof value === 'string') return stringJson(value);
  return typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'null');
}

/** Order of the UTF-8 bytes, which is that of code points and, outside the basic plane, not that of JavaScript's strings. */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0;
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** True for a JSON object. */
export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
