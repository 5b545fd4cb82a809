const [QUOTE, BACKSLASH, MINUS, ZERO, NINE] = [0x22, 0x5c, 0x2d, 0x30, 0x39];

/** So many digits and more may be a number that a double rounds. */
const LONG = 16;

/** Whether there are 16 digits in a row anywhere. Such a row has a digit at one of every 16 places, so only those are looked at. */
export function hasLongNumber(text: string): boolean {
  for (let at = LONG - 1; at < text.length; at += LONG) {
    if (!isDigit(text.charCodeAt(at))) continue;
    let [first, last] = [at, at];
    while (isDigit(text.charCodeAt(first - 1))) first -= 1;
    while (isDigit(text.charCodeAt(last + 1))) last += 1;
    if (last - first + 1 >= LONG) return true;
  }
  return false;
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\r\n]*/y;

/**
 * The JSON text with another text in the place of each number for which `replace` gives one. Strings are left alone. Text that is
 * no JSON stays none.
 */
export function replaceNumbers(text: string, replace: (literal: string) => string | undefined): string {
  const pieces: string[] = [];
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
      continue;
    }
    const literal = code === MINUS || isDigit(code) ? numberAt(text, at) : '';
    const replacement = literal !== '' && isValue(text, at + literal.length) ? replace(literal) : undefined;
    if (replacement !== undefined) {
      pieces.push(text.slice(copied, at), replacement);
      copied = at + literal.length;
    }
    at += literal.length || 1;
  }
  return copied === 0 ? text : pieces.join('') + text.slice(copied);
}

function numberAt(text: string, at: number): string {
  NUMBER.lastIndex = at;
  return NUMBER.exec(text)?.[0] ?? '';
}

/** Whether a value may end here: another text in the place of a misplaced number could make JSON of what is none. */
function isValue(text: string, end: number): boolean {
  SPACE.lastIndex = end;
  SPACE.exec(text);
  const next = text.charAt(SPACE.lastIndex);
  return next === '' || next === ',' || next === '}' || next === ']';
}

/** The place after the quote that ends the string beginning here. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((end - before) % 2 === 0) return end + 1;
  }
  return text.length;
}

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE;
