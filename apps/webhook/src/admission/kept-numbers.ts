import { randomUUID } from 'node:crypto';
import { printJson, replaceNumbers } from '@sidestep/kube';

/** JSON that was read, and how to print what was made of it. */
export interface KeptNumbers {
  value: unknown;
  print(value: unknown): string;
}

/** Begins the texts that stand for numbers; nobody outside can know it. */
const MARK = `${randomUUID()}:`;

const LITERAL = /[-+.\deE]+/y;

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
  return { value, print: (answer) => withNumbers(printJson(answer)) };
}

/**
 * The numbers in the place of their texts, also where a text got into a string, which JSON was made of a second time: the quotes are
 * escaped there. Looks only around marks, so that the time does not depend on what else the text holds.
 */
function withNumbers(text: string): string {
  const pieces: string[] = [];
  let copied = 0;
  for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + MARK.length)) {
    LITERAL.lastIndex = at + MARK.length;
    const literal = LITERAL.exec(text)?.[0] ?? '';
    let start = at - 1;
    while (start > copied && text[start - 1] === '\\') start -= 1;
    const quote = text.slice(start, at);
    const end = at + MARK.length + literal.length;
    if (literal === '' || !quote.endsWith('"') || !text.startsWith(quote, end)) continue;
    pieces.push(text.slice(copied, start), literal);
    copied = end + quote.length;
  }
  return pieces.join('') + text.slice(copied);
}
