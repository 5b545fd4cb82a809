const NONE: ReadonlySet<string> = new Set();

/**
 * Whether two values are the same JSON, however deep. Nothing recurses: on a busy machine much runs uncompiled, and the larger frames
 * of that overflow the stack where a quiet machine has room.
 *
 * @param ignored members that do not count
 */
export function isSameJson(a: unknown, b: unknown, ignored = NONE): boolean {
  const open: [unknown, unknown][] = [[a, b]];
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [left, right] = pair;
    if (left === right) continue;
    if (!isNested(left) || !isNested(right) || Array.isArray(left) !== Array.isArray(right)) return false;
    const keys = Object.keys(left).filter((key) => !ignored.has(key));
    if (keys.length !== Object.keys(right).filter((key) => !ignored.has(key)).length) return false;
    for (const key of keys) {
      if (!Object.hasOwn(right, key)) return false;
      open.push([left[key], right[key]]);
    }
  }
  return true;
}

const isNested = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
