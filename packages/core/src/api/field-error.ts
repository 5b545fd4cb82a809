import { jsonText } from './json-text.js';

/** The kinds of field error that the Kubernetes API machinery knows, with the words it prints for them. */
export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueNotFound'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

const WORDS: Record<FieldErrorType, string> = {
  FieldValueRequired: 'Required value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueForbidden: 'Forbidden',
  FieldValueNotFound: 'Not found',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
};

/** Something wrong with one field of an object, as `metav1.StatusCause` and the text of an API server show it. */
export interface FieldError {
  readonly type: FieldErrorType;
  /** Path of the field, for example `spec.containers[0].image`. */
  readonly field: string;
  /** The offending value, already printed in Go's manner; absent for the types that show none. */
  readonly value?: string;
  readonly detail: string;
}

/** Marks text that is to be printed as it stands instead of quoted; see {@link printValue}. */
export class Verbatim {
  constructor(readonly text: string) {}
}

/** Prints an offending value as Go's field errors do: strings quoted, numbers and booleans plain, nothing as `"null"`. */
export function printValue(value: unknown): string {
  if (value instanceof Verbatim) return value.text;
  if (value === undefined || value === null) return '"null"';
  if (typeof value === 'string') return quoteGo(value);
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return quoteGo(jsonText(value));
}

/** A string literal as Go's `%q` writes it. */
export function quoteGo(text: string): string {
  let quoted = '"';
  for (const char of text) quoted += quoteChar(char);
  return `${quoted}"`;
}

const SHORT_ESCAPES: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

function quoteChar(char: string): string {
  const short = SHORT_ESCAPES[char];
  if (short !== undefined) return short;
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char)) return char;
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd';
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/**
 * `<field>: Required value`: nothing, or only something empty, was given. Texts follow `field.Required` of Kubernetes’ API
 * machinery.
 */
export const required = (field: string, detail = ''): FieldError => ({ type: 'FieldValueRequired', field, detail });

/** `<field>: Forbidden: <detail>`: the field may not be set, or not be changed. Shows no value. */
export const forbidden = (field: string, detail: string): FieldError => ({
  type: 'FieldValueForbidden',
  field,
  detail,
});

/** `<field>: Invalid value: <value>: <detail>`: any value that breaks a rule. `value` is printed by {@link printValue}. */
export const invalid = (field: string, value: unknown, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  field,
  value: printValue(value),
  detail,
});

/** `<field>: Duplicate value: <value>`: a name or key that the list already holds; `field` is that of the second one. */
export const duplicate = (field: string, value: unknown): FieldError => ({
  type: 'FieldValueDuplicate',
  field,
  value: printValue(value),
  detail: '',
});

/** `<field>: Not found: <value>`: the value names something that does not exist, such as a volume of a mount. */
export const notFound = (field: string, value: unknown): FieldError => ({
  type: 'FieldValueNotFound',
  field,
  value: printValue(value),
  detail: '',
});

/** `supported` in the order in which it is to be listed. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  type: 'FieldValueNotSupported',
  field,
  value: printValue(value),
  detail: supported.length === 0 ? '' : `supported values: ${supported.map(quoteGo).join(', ')}`,
});

/** `<field>: Too long`: text of more than `maxBytes` bytes of UTF-8. The value is not shown, since it may be huge. */
export const tooLong = (field: string, maxBytes: number): FieldError => ({
  type: 'FieldValueTooLong',
  field,
  detail: `may not be more than ${maxBytes} ${maxBytes === 1 ? 'byte' : 'bytes'}`,
});

/** `<field>: Too many: <actual>`: a list of `actual` items where `max` are allowed. */
export const tooMany = (field: string, actual: number, max: number): FieldError => ({
  type: 'FieldValueTooMany',
  field,
  value: String(actual),
  detail: `must have at most ${max} ${max === 1 ? 'item' : 'items'}`,
});

/** What a cause says without its field: `Invalid value: "x": must be ...`. */
export function fieldErrorBody(error: FieldError): string {
  const head = WORDS[error.type];
  const body = error.value === undefined ? head : `${head}: ${error.value}`;
  return error.detail === '' ? body : `${body}: ${error.detail}`;
}

/** One error in the API server's words: `spec.selector: Required value: ...`. */
export function formatFieldError(error: FieldError): string {
  return `${error.field}: ${fieldErrorBody(error)}`;
}

/** All errors in the API server's words: one as it is, several in brackets, repeated ones once; `''` for none. */
export function formatFieldErrors(errors: readonly FieldError[]): string {
  const messages = [...new Set(errors.map(formatFieldError))];
  return messages.length > 1 ? `[${messages.join(', ')}]` : (messages[0] ?? '');
}
