import { randomUUID } from 'node:crypto';
import { hasLongNumber, replaceNumbers } from './number-literals.js';

/** Begins the texts that stand for numbers while JSON.parse and JSON.stringify are at work; nobody outside can know it. */
const MARK = `${randomUUID()}:`;

/** Longer ones are rounded as Go rounds them: making a bigint of a text takes more than linear time. */
const LONGEST_INTEGER = 1_000;

/**
 * As `JSON.parse`, with every digit of whole numbers: those that JavaScript would print otherwise become a `bigint`, for Kubernetes' integers
 * have 64 bits. Text without such numbers, which is nearly all, costs one look at every 16th character more.
 * Throws `SyntaxError`.
 */
export function parseJson(text: string): unknown {
  if (!hasLongNumber(text)) return JSON.parse(text);
  const marked = replaceNumbers(text, (literal) => (isRounded(literal) ? `"${MARK}${literal}"` : undefined));
  const root = [JSON.parse(marked)];
  if (marked !== text) revive(root);
  return root[0];
}

/** As `JSON.stringify`, for values that may hold a `bigint`. */
export function printJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    // Said of every bigint; what else it is said of will be said again.
    if (!(error instanceof TypeError)) throw error;
  }
  const marked = JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${MARK}${each}` : each), indent);
  return marked.replaceAll(MARKED, '$1');
}

const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g');

const isRounded = (literal: string): boolean =>
  literal.length <= LONGEST_INTEGER && /^-?[1-9]\d*$/.test(literal) && String(Number(literal)) !== literal;

/** Without recursion: a hostile text may be nested more deeply than the stack is. */
function revive(root: object): void {
  const open: object[] = [root];
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    for (const [key, value] of Object.entries(holder)) {
      if (typeof value === 'object' && value !== null) open.push(value);
      else if (typeof value === 'string' && value.startsWith(MARK)) {
        (holder as Record<string, unknown>)[key] = BigInt(value.slice(MARK.length));
      }
    }
  }
}
