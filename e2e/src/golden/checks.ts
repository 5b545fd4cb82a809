import { isObject } from './compare.js';

/** A recorded case that the runner cannot replay: the message says what is wrong, where, and what is allowed. */
export class CaseFormError extends Error {
  override name = 'CaseFormError';
}

/**
 * Looks at one value and throws if it is not what it should be. A form names only the fields that the replay cannot do without
 * and the type of those that it reads if they are there: whatever else a recording holds is no reason to refuse it.
 */
export type Check = (value: unknown, at: string) => void;

export const object: Check = (value, at) => demand(isObject(value), value, at, 'an object');
export const text: Check = (value, at) => demand(typeof value === 'string', value, at, 'a string');
export const number: Check = (value, at) => demand(typeof value === 'number', value, at, 'a number');
export const time: Check = (value, at) =>
  demand(typeof value === 'string' && !Number.isNaN(Date.parse(value)), value, at, 'an RFC 3339 time');

export const listOf =
  (element: Check): Check =>
  (value, at) => {
    demand(Array.isArray(value), value, at, 'a list');
    for (const [index, each] of (value as unknown[]).entries()) element(each, `${at}[${index}]`);
  };

/** An object with these fields; a field whose name ends in `?` may be missing or null, any others may stand beside them. */
export const shape =
  (fields: Record<string, Check>): Check =>
  (value, at) => {
    object(value, at);
    for (const [key, check] of Object.entries(fields)) {
      const name = key.replace('?', '');
      const held = (value as Record<string, unknown>)[name];
      const isMissing = held === undefined || held === null;
      if (!isMissing || name === key) check(held, placeOf(at, name));
    }
  };

/** An object with any keys, whose values are all of one kind. */
export const mapOf =
  (element: Check): Check =>
  (value, at) => {
    object(value, at);
    for (const [key, held] of Object.entries(value as object)) element(held, placeOf(at, key));
  };

/** All of them, in turn. */
export const each =
  (...checks: readonly Check[]): Check =>
  (value, at) => {
    for (const check of checks) check(value, at);
  };

export const oneOf =
  (words: readonly string[]): Check =>
  (value, at) =>
    demand(words.includes(value as string), value, at, `one of ${words.join(', ')}`);

const placeOf = (at: string, key: string): string => {
  if (!/^\w+$/.test(key)) return `${at}[${JSON.stringify(key)}]`;
  return at === '' ? key : `${at}.${key}`;
};

export function demand(isGood: boolean, value: unknown, at: string, allowed: string): void {
  if (isGood) return;
  const isMissing = value === undefined || value === null;
  throw new CaseFormError(`${at} ${isMissing ? 'is missing' : `is ${told(value)}`}; allowed is ${allowed}`);
}

export function told(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : JSON.stringify(value);
}
