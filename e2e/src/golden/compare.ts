/** One place where two values differ; a side that lacks the place is `undefined`. */
export interface Difference {
  path: string;
  expected: unknown;
  actual: unknown;
}

/** Two values that are to be equal: what OpenKruise answered, and what we answer. */
export interface Comparison {
  /** What is compared, for the report: `sidecarSet mesh, stored v1beta1`. */
  subject: string;
  expected: unknown;
  /** What OpenKruise answered at other times to the same; any of them will do. */
  alternatives?: readonly unknown[];
  actual: unknown;
}

/** All places where two JSON values differ; the order of an object's keys does not count, that of a list does. */
export function differences(expected: unknown, actual: unknown, path = ''): Difference[] {
  if (Object.is(expected, actual)) return [];
  if (Array.isArray(expected) && Array.isArray(actual)) return listDifferences(expected, actual, path);
  if (isObject(expected) && isObject(actual)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
    return keys.flatMap((key) => differences(expected[key], actual[key], `${path}/${key}`));
  }
  return [{ path: path || '/', expected, actual }];
}

/** Lists of named elements are compared name by name when they hold the same names in the same order, else as a whole. */
function listDifferences(expected: unknown[], actual: unknown[], path: string): Difference[] {
  if (expected.length !== actual.length) return [{ path, expected, actual }];
  return expected.flatMap((element, index) =>
    differences(element, actual[index], `${path}/${labelOf(element, index)}`),
  );
}

function labelOf(element: unknown, index: number): string {
  return isObject(element) && typeof element.name === 'string' ? `${index}(${element.name})` : String(index);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A deep copy with every string passed through `change`. */
export function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((element) => mapStrings(element, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [change(key), mapStrings(held, change)]));
}
