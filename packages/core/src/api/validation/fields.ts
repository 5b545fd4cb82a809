/** Readers for the untyped inside of containers and volumes, after its types were checked: absent reads as Go's zero value. */
import type { FieldError } from '../field-error.js';
import { invalid } from '../field-error.js';
import { isRecord } from '../schema/go-json.js';

export type Fields = Record<string, unknown>;

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

export const numberOf = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** A number of 64 bits: one that a double cannot hold is a `bigint`, which compares with numbers as one of them. */
export const int64Of = (value: unknown): number | bigint => (typeof value === 'bigint' ? value : numberOf(value));

export const recordOf = (value: unknown): Fields => (isRecord(value) ? value : {});

export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

export const recordsOf = (value: unknown): Fields[] => listOf(value).map(recordOf);

export const isSet = (value: unknown): boolean => value !== undefined && value !== null;

/** One `Invalid value` error for each problem. */
export function invalidForEach(field: string, value: unknown, problems: string[]): FieldError[] {
  return problems.map((problem) => invalid(field, value, problem));
}

/** Errors for all elements, each with its path. */
export function forEachIndex(
  elements: unknown,
  path: string,
  check: (element: Fields, path: string, index: number) => FieldError[],
): FieldError[] {
  return recordsOf(elements).flatMap((element, index) => check(element, `${path}[${index}]`, index));
}
