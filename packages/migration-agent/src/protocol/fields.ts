/** Readers for one JSON field each; they throw a sentence that names the field. Unknown fields are ignored, as newer peers add some. */

export type Fields = Record<string, unknown>;
type Reader<T> = (value: unknown, name: string) => T;

function refuse(name: string, expected: string): never {
  throw new TypeError(`field "${name}" must be ${expected}`);
}

export const text =
  (max = 256): Reader<string> =>
  (value, name) =>
    typeof value === 'string' && value.length <= max ? value : refuse(name, `a text of at most ${max} characters`);

export const hex =
  (characters: number): Reader<string> =>
  (value, name) =>
    typeof value === 'string' && value.length === characters && /^[0-9a-f]*$/.test(value)
      ? value
      : refuse(name, `${characters} hexadecimal digits`);

export const count =
  (max = Number.MAX_SAFE_INTEGER): Reader<number> =>
  (value, name) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max
      ? value
      : refuse(name, `a whole number from 0 to ${max}`);

export const oneOf =
  <T extends string>(...allowed: T[]): Reader<T> =>
  (value, name) =>
    allowed.includes(value as T) ? (value as T) : refuse(name, `one of ${allowed.join(', ')}`);

export const list =
  <T>(item: Reader<T>, max: number): Reader<T[]> =>
  (value, name) =>
    Array.isArray(value) && value.length <= max
      ? value.map((entry, index) => item(entry, `${name}[${index}]`))
      : refuse(name, `a list of at most ${max}`);

/** A table of numbers, e.g. counters. Copied into a null-prototype object: a key named `__proto__` is data here. */
export const numbers =
  (max: number): Reader<Record<string, number>> =>
  (value, name) => {
    const entries = Object.entries(object(value, name));
    if (entries.length > max) refuse(name, `a table of at most ${max}`);
    const out: Record<string, number> = Object.create(null);
    for (const [key, entry] of entries) {
      out[key] = typeof entry === 'number' && Number.isFinite(entry) ? entry : refuse(`${name}.${key}`, 'a number');
    }
    return out;
  };

export const texts =
  (max: number, length: number): Reader<Record<string, string>> =>
  (value, name) => {
    const entries = Object.entries(object(value, name));
    if (entries.length > max) refuse(name, `a table of at most ${max}`);
    const out: Record<string, string> = Object.create(null);
    for (const [key, entry] of entries) out[key] = text(length)(entry, `${name}.${key}`);
    return out;
  };

export const object: Reader<Fields> = (value, name) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : refuse(name, 'an object');

/** The field if it is there, else the fallback. */
export function optional<T, F>(value: unknown, name: string, reader: Reader<T>, fallback: F): T | F {
  return value === undefined ? fallback : reader(value, name);
}
