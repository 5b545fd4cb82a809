import { GoRegexpError } from './go-regexp-error.js';

const CONTROL: Record<string, number> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
const LAST_CODE_POINT = 0x10ffff;

interface Escape {
  code: number;
  length: number;
}

/** Reads an escape that stands for one character. */
export function readEscape(rest: string): Escape {
  if (rest.length < 2) throw new GoRegexpError('trailing backslash at end of expression', '');
  const char = String.fromCodePoint(rest.codePointAt(1) ?? 0);
  const control = CONTROL[char];
  if (control !== undefined) return { code: control, length: 2 };
  const octal = /^\\(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest)?.[0];
  if (octal !== undefined) return { code: Number.parseInt(octal.slice(1), 8), length: octal.length };
  if (char === 'x') return readHexadecimal(rest);
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80 && !/[A-Za-z0-9]/.test(char)) return { code, length: 2 };
  throw new GoRegexpError('invalid escape sequence', rest.slice(0, 1 + char.length));
}

function readHexadecimal(rest: string): Escape {
  const match = /^\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/.exec(rest);
  const digits = match?.[1] ?? match?.[2];
  const code = digits === undefined ? Number.NaN : Number.parseInt(digits, 16);
  if (match !== null && code <= LAST_CODE_POINT) return { code, length: match[0].length };
  throw new GoRegexpError('invalid escape sequence', rest.slice(0, readSoFar(rest)));
}

/** How far Go reads before it finds a hexadecimal escape wrong. */
function readSoFar(rest: string): number {
  if (!rest.startsWith('\\x{')) return Math.min(rest.length, 4);
  let code = 0;
  let at = 3;
  for (; at < rest.length; at++) {
    const digit = Number.parseInt(rest[at] ?? '', 16);
    code = code * 16 + digit;
    if (Number.isNaN(digit) || code > LAST_CODE_POINT) return at + 1;
  }
  return at;
}
