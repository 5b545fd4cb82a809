import { parseJson, printJson } from '@sidestep/kube';

/** Objects as they are sent, stored and given back: JSON with every digit of an integer of 64 bits. */
export { printJson };

const [LEAST, MOST] = [-(2n ** 63n), 2n ** 63n - 1n];
/** No shorter number is out of that range. */
const LONG = /\d{19}/;

/** As the API server reads JSON: an integer that 64 bits do not hold becomes a double. Throws `SyntaxError`. */
export function readJson(text: string): unknown {
  const value = parseJson(text);
  return LONG.test(text) ? withNumbers(value, asServer) : value;
}

/** What a parser of YAML made of every integer a `bigint` of, read as from JSON. */
export const fromBigints = (value: unknown): unknown => withNumbers(value, asServer);

/** The same with doubles only, for who knows no other numbers. */
export const inDoubles = (value: unknown): unknown => withNumbers(value, Number);

function asServer(value: bigint): bigint | number {
  const isExact = String(Number(value)) === String(value);
  return isExact || value < LEAST || value > MOST ? Number(value) : value;
}

function withNumbers(value: unknown, read: (value: bigint) => unknown): unknown {
  if (typeof value === 'bigint') return read(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => withNumbers(each, read));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withNumbers(each, read)]));
}

/** Same JSON: a field that is undefined counts as absent, and the order of fields does not matter. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => sameJson(item, b[index]))
    );
  }
  const [left, right] = [present(a), present(b)];
  return (
    left.length === right.length &&
    left.every(([key, value]) => Object.hasOwn(b, key) && sameJson(value, (b as Record<string, unknown>)[key]))
  );
}

const present = (object: object): [string, unknown][] =>
  Object.entries(object).filter(([, value]) => value !== undefined);
