/**
 * JSON as Go's encoding/json sees it, for two things that JSON.parse hides: the text of every value, which a merge must carry
 * over digit by digit, and Go's error messages, which users of OpenKruise know.
 */

import { compareBytes } from '../api/schema/go-json.js';

/**
 * One JSON value. `text` is its source without surrounding space. Of several members of one name the last counts in `members`;
 * `pairs` has them all as they are written.
 */
export type GoJson =
  | { kind: 'object'; text: string; members: Map<string, GoJson>; pairs: readonly (readonly [string, GoJson])[] }
  | { kind: 'array'; text: string; items: GoJson[] }
  | { kind: 'string'; text: string; value: string }
  | { kind: 'number' | 'bool' | 'null'; text: string };

/** The text is no JSON; the message is Go's. */
export class GoJsonError extends Error {
  override name = 'GoJsonError';
}

/** Recursion must not reach the end of the stack; Go's own limit is 10,000. */
const MAX_DEPTH = 1_000;

/** Go has no such character: it reads one that is escaped as the sign for what cannot be read. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** @throws {GoJsonError} */
export function parseGoJson(text: string): GoJson {
  return new GoJsonReader(text).document();
}

class GoJsonReader {
  private position = 0;
  private depth = 0;

  constructor(private readonly text: string) {}

  document(): GoJson {
    const value = this.value();
    this.space();
    if (this.position < this.text.length) this.fail('after top-level value');
    return value;
  }

  private value(): GoJson {
    this.space();
    const start = this.position;
    const first = this.text[start];
    if (first === '{') return this.nested(() => this.object(start));
    if (first === '[') return this.nested(() => this.array(start));
    if (first === '"') {
      const value = this.string();
      return { kind: 'string', text: this.since(start), value };
    }
    if (first === '-' || (first !== undefined && first >= '0' && first <= '9')) return this.number(start);
    if (first === 't') return this.literal('true', 'bool');
    if (first === 'f') return this.literal('false', 'bool');
    if (first === 'n') return this.literal('null', 'null');
    return this.fail('looking for beginning of value');
  }

  private nested(read: () => GoJson): GoJson {
    if (++this.depth > MAX_DEPTH) throw new GoJsonError('exceeded max depth');
    const value = read();
    this.depth -= 1;
    return value;
  }

  private object(start: number): GoJson {
    const pairs: [string, GoJson][] = [];
    this.position += 1;
    this.space();
    if (this.peek() === '}') this.position += 1;
    else this.membersInto(pairs);
    return { kind: 'object', text: this.since(start), members: new Map(pairs), pairs };
  }

  private membersInto(pairs: [string, GoJson][]): void {
    for (;;) {
      this.space();
      if (this.peek() !== '"') this.fail('looking for beginning of object key string');
      const key = this.string();
      this.space();
      if (this.peek() !== ':') this.fail('after object key');
      this.position += 1;
      pairs.push([key, this.value()]);
      this.space();
      const next = this.peek();
      if (next !== ',' && next !== '}') this.fail('after object key:value pair');
      this.position += 1;
      if (next === '}') return;
    }
  }

  private array(start: number): GoJson {
    const items: GoJson[] = [];
    this.position += 1;
    this.space();
    if (this.peek() === ']') {
      this.position += 1;
      return { kind: 'array', text: this.since(start), items };
    }
    for (;;) {
      items.push(this.value());
      this.space();
      const next = this.peek();
      if (next !== ',' && next !== ']') this.fail('after array element');
      this.position += 1;
      if (next === ']') return { kind: 'array', text: this.since(start), items };
    }
  }

  private string(): string {
    const start = this.position;
    this.position += 1;
    for (;;) {
      const character = this.peek();
      if (character === '"') break;
      if (character === undefined || character < ' ') this.fail('in string literal');
      this.position += 1;
      if (character === '\\') this.escape();
    }
    this.position += 1;
    return (JSON.parse(this.since(start)) as string).replace(LONE_SURROGATE, '\ufffd');
  }

  private escape(): void {
    const escaped = this.peek();
    if (escaped === undefined || !'"\\/bfnrtu'.includes(escaped)) this.fail('in string escape code');
    this.position += 1;
    for (let digit = 0; escaped === 'u' && digit < 4; digit += 1) {
      if (!/[0-9a-fA-F]/.test(this.peek() ?? '')) this.fail('in \\u hexadecimal character escape');
      this.position += 1;
    }
  }

  private number(start: number): GoJson {
    if (this.peek() === '-') this.position += 1;
    if (this.peek() === '0') this.position += 1;
    else this.digits('in numeric literal');
    if (this.peek() === '.') {
      this.position += 1;
      this.digits('after decimal point in numeric literal');
    }
    if (this.peek() === 'e' || this.peek() === 'E') {
      this.position += 1;
      if (this.peek() === '+' || this.peek() === '-') this.position += 1;
      this.digits('in exponent of numeric literal');
    }
    return { kind: 'number', text: this.since(start) };
  }

  private digits(context: string): void {
    const start = this.position;
    while (/[0-9]/.test(this.peek() ?? '')) this.position += 1;
    if (this.position === start) this.fail(context);
  }

  private literal(word: string, kind: 'bool' | 'null'): GoJson {
    for (const expected of word) {
      if (this.peek() !== expected) this.fail(`in literal ${word} (expecting ${quoteCharacter(expected)})`);
      this.position += 1;
    }
    return { kind, text: word };
  }

  private space(): void {
    while (' \t\r\n'.includes(this.peek() ?? '!')) this.position += 1;
  }

  private peek(): string | undefined {
    return this.text[this.position];
  }

  private since(start: number): string {
    return this.text.slice(start, this.position);
  }

  private fail(context: string): never {
    const character = this.peek();
    if (character === undefined) throw new GoJsonError('unexpected end of JSON input');
    throw new GoJsonError(`invalid character ${quoteCharacter(character)} ${context}`);
  }
}

function quoteCharacter(character: string): string {
  if (character === "'") return `'\\''`;
  if (character === '"') return `'"'`;
  // Go reads bytes: of a character beyond ASCII it names the first one.
  const byte = new TextEncoder().encode(character)[0] ?? 0;
  if (byte >= 0x80) return `'${String.fromCharCode(byte)}'`;
  return `'${JSON.stringify(character)
    .slice(1, -1)
    .replace(/^\\u00/, '\\x')}'`;
}

/** The escapes of Go's encoder, which makes JSON safe to stand in HTML. */
export function goEscaped(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const STRING_OR_SPACE = /"(?:[^"\\]|\\[\s\S])*"|[ \t\r\n]+/g;

/** The value as Go's encoder prints one whose text it holds: space removed, nothing reordered. */
export function compactGoJson(value: GoJson): string {
  return goEscaped(value.text.replace(STRING_OR_SPACE, (match) => (match.startsWith('"') ? match : '')));
}

/** A value of {@link goMapText} that is JSON already. */
export class GoText {
  constructor(readonly text: string) {}
}

/** The members of a text that is an object; of any other there are none. */
export function goMembers(text: string | undefined): ReadonlyMap<string, GoJson> {
  try {
    const document = parseGoJson(text ?? '');
    return document.kind === 'object' ? document.members : new Map();
  } catch (error) {
    if (error instanceof GoJsonError) return new Map();
    throw error;
  }
}

/**
 * A map as Go prints it: keys in the order of their bytes. Not by way of an object, which moves keys that look like numbers to
 * the front. Entries without a value are left out.
 */
export function goMapText(entries: Iterable<readonly [string, unknown]>): string {
  const members = [...entries]
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => compareBytes(a, b))
    .map(([key, value]) => `${JSON.stringify(key)}:${value instanceof GoText ? value.text : JSON.stringify(value)}`);
  return goEscaped(`{${members.join(',')}}`);
}
