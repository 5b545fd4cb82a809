/** A repetition operator. */
export interface Repeat {
  /** -1 for a number that has too many digits. */
  min: number;
  max: number;
  /** Of the operator in the source, with the `?` of a lazy one. */
  length: number;
}

const SIMPLE: Record<string, [min: number, max: number]> = {
  '*': [0, Number.POSITIVE_INFINITY],
  '+': [1, Number.POSITIVE_INFINITY],
  '?': [0, 1],
};

const COUNTED = /^\{(0|[1-9][0-9]*)(,(0|[1-9][0-9]*)?)?\}/;
const LONGEST_NUMBER = 8;

const readNumber = (digits: string): number => (digits.length >= LONGEST_NUMBER ? -1 : Number(digits));

/** Reads a repetition operator; `undefined` if the text starts with none, as with a brace that counts nothing. */
export function readRepeat(rest: string): Repeat | undefined {
  const lazy = (length: number): number => (rest[length] === '?' ? length + 1 : length);
  const simple = SIMPLE[rest[0] ?? ''];
  if (simple !== undefined) return { min: simple[0], max: simple[1], length: lazy(1) };
  const counted = COUNTED.exec(rest);
  if (counted === null) return undefined;
  const min = readNumber(counted[1] ?? '');
  const upper = counted[3];
  const max = counted[2] === undefined ? min : upper === undefined ? Number.POSITIVE_INFINITY : readNumber(upper);
  return { min: max < 0 ? -1 : min, max, length: lazy(counted[0].length) };
}
