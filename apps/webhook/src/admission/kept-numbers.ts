import { randomUUID } from 'node:crypto';
import { printJson, replaceNumbers } from '@sidestep/kube';

/** JSON that was read, and how to print what was made of it. */
export interface KeptNumbers {
  value: unknown;
  print(value: unknown): string;
}

/** Begins the texts that stand for numbers; nobody outside can know it. */
const MARK = `${randomUUID()}:`;

/** Also where the text got into a string, which JSON was made of a second time: the quotes are escaped there. */
const MARKED = new RegExp(`(\\\\*)"${MARK}([-+.\\deE]+)\\1"`, 'g');

/**
 * Reads JSON for somebody who only moves values about: a number that JavaScript would print in other words, be it for its size or
 * its spelling, is a text meanwhile, and is printed as it was written. Throws `SyntaxError`.
 */
export function parseKeepingNumbers(body: string): KeptNumbers {
  const marked = replaceNumbers(body, (literal) =>
    String(Number(literal)) === literal ? undefined : `"${MARK}${literal}"`,
  );
  const value: unknown = JSON.parse(marked);
  if (marked === body) return { value, print: printJson };
  return { value, print: (answer) => printJson(answer).replaceAll(MARKED, '$2') };
}
