import type { CharacterTest } from './expression.js';

const within = (low: string, high: string): CharacterTest => {
  const [from, to] = [low.charCodeAt(0), high.charCodeAt(0)];
  return (code) => code >= from && code <= to;
};

export const anyOf =
  (...tests: CharacterTest[]): CharacterTest =>
  (code) =>
    tests.some((test) => test(code));

export const not =
  (test: CharacterTest): CharacterTest =>
  (code) =>
    !test(code);

const oneOf = (characters: string): CharacterTest => {
  const codes = new Set([...characters].map((char) => char.codePointAt(0)));
  return (code) => codes.has(code);
};

const digit = within('0', '9');
const lower = within('a', 'z');
const upper = within('A', 'Z');
const alpha = anyOf(lower, upper);
export const isWord = anyOf(alpha, digit, oneOf('_'));
const blank = oneOf('\t\n\f\r ');

/** `\d`, `\s`, `\w` and their opposites, ASCII only as in Go. */
export const PERL_CLASSES: Record<string, CharacterTest> = {
  d: digit,
  D: not(digit),
  s: blank,
  S: not(blank),
  w: isWord,
  W: not(isWord),
};

/** The names in `[[:name:]]`. */
export const POSIX_CLASSES: ReadonlyMap<string, CharacterTest> = new Map(
  Object.entries({
    alnum: anyOf(alpha, digit),
    alpha,
    ascii: (code) => code < 0x80,
    blank: oneOf('\t '),
    cntrl: (code) => code < 0x20 || code === 0x7f,
    digit,
    graph: within('!', '~'),
    lower,
    print: within(' ', '~'),
    punct: anyOf(within('!', '/'), within(':', '@'), within('[', '`'), within('{', '~')),
    space: oneOf('\t\n\v\f\r '),
    upper,
    word: isWord,
    xdigit: anyOf(digit, within('a', 'f'), within('A', 'F')),
  }),
);

const CATEGORY =
  /^(?:C|Cc|Cf|Co|Cs|L|Ll|Lm|Lo|Lt|Lu|M|Mc|Me|Mn|N|Nd|Nl|No|P|Pc|Pd|Pe|Pf|Pi|Po|Ps|S|Sc|Sk|Sm|So|Z|Zl|Zp|Zs)$/;

/** The characters of `\p{name}`, a general category or a script; `undefined` for a name that is neither. */
export function unicodeClass(name: string): CharacterTest | undefined {
  if (name === 'Any') return () => true;
  const property = CATEGORY.test(name) ? name : `Script=${name}`;
  if (!/^[A-Za-z_=]+$/.test(property)) return undefined;
  try {
    const expression = new RegExp(`^\\p{${property}}$`, 'u');
    return (code) => expression.test(String.fromCodePoint(code));
  } catch {
    return undefined;
  }
}

/** A class that also holds the other case of each of its characters. */
export const ignoringCase =
  (test: CharacterTest): CharacterTest =>
  (code) => {
    if (test(code)) return true;
    const char = String.fromCodePoint(code);
    return [char.toLowerCase(), char.toUpperCase()].some((each) => test(each.codePointAt(0) ?? 0));
  };
