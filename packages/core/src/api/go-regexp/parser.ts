import { ignoringCase, PERL_CLASSES } from './character-classes.js';
import { ClassReader } from './class-reader.js';
import { readEscape } from './escapes.js';
import type { Assertion, CharacterTest, Expression } from './expression.js';
import { GoRegexpError } from './go-regexp-error.js';
import { type Flags, readGroupStart } from './group-start.js';
import { type Repeat, readRepeat } from './repeats.js';

const MAX_DEPTH = 1000;
const MAX_REPEAT = 1000;

/** An open group: the flags to return to, the finished options of its choice, the sequence being read. */
interface Group {
  outer: Flags;
  options: Expression[];
  parts: Expression[];
}

const ESCAPED_ASSERTIONS: Record<string, Assertion> = {
  A: 'textStart',
  b: 'wordBoundary',
  B: 'noWordBoundary',
  z: 'textEnd',
};

/** Reads one expression, with Go's messages for what is wrong with it. */
class Parser {
  private position = 0;
  private flags: Flags = { ignoreCase: false, multiline: false, dotAll: false };
  private readonly groups: Group[] = [{ outer: this.flags, options: [], parts: [] }];
  /** Where the repetition operator just before began; a second one may not follow. */
  private lastRepeat: number | undefined;

  constructor(private readonly source: string) {}

  parse(): Expression {
    while (this.position < this.source.length) this.next();
    if (this.groups.length > 1) throw new GoRegexpError('missing closing )', this.source);
    return this.closed(this.group);
  }

  private get group(): Group {
    return this.groups.at(-1) as Group;
  }

  private next(): void {
    const repeated = this.lastRepeat;
    this.lastRepeat = undefined;
    const rest = this.source.slice(this.position);
    switch (rest[0]) {
      case '(':
        this.open(rest);
        break;
      case ')':
        this.close();
        break;
      case '|':
        this.group.options.push(this.sequence(this.group.parts));
        this.group.parts = [];
        this.skip(1);
        break;
      case '^':
        this.assert(this.flags.multiline ? 'lineStart' : 'textStart', 1);
        break;
      case '$':
        this.assert(this.flags.multiline ? 'lineEnd' : 'textEnd', 1);
        break;
      case '.': {
        const { dotAll } = this.flags;
        this.add({ kind: 'character', test: (code) => dotAll || code !== 0x0a }, 1);
        break;
      }
      case '[':
        this.class(rest);
        break;
      case '\\':
        this.escape(rest);
        break;
      default:
        this.repeatOrLiteral(rest, repeated);
        break;
    }
  }

  private skip(length: number): void {
    this.position += length;
  }

  private add(part: Expression, length: number): void {
    this.group.parts.push(part);
    this.skip(length);
  }

  private assert(assertion: Assertion, length: number): void {
    this.add({ kind: 'assertion', assertion }, length);
  }

  private addTest(test: CharacterTest, length: number): void {
    this.add({ kind: 'character', test: this.flags.ignoreCase ? ignoringCase(test) : test }, length);
  }

  private literal(char: string, length = char.length): void {
    const wanted = char.codePointAt(0);
    this.addTest((code) => code === wanted, length);
  }

  private open(rest: string): void {
    if (this.groups.length >= MAX_DEPTH) throw new GoRegexpError('expression nests too deeply', this.source);
    const { length, flags, isGroup } = readGroupStart(rest, this.flags);
    if (isGroup) this.groups.push({ outer: this.flags, options: [], parts: [] });
    this.flags = flags;
    this.skip(length);
  }

  private close(): void {
    const group = this.groups.pop() as Group;
    if (this.groups.length === 0) throw new GoRegexpError('unexpected )', this.source);
    this.flags = group.outer;
    this.add(this.closed(group), 1);
  }

  private closed({ options, parts }: Group): Expression {
    const last = this.sequence(parts);
    return options.length === 0 ? last : { kind: 'choice', options: [...options, last] };
  }

  private sequence(parts: Expression[]): Expression {
    return parts.length === 1 ? (parts[0] as Expression) : { kind: 'sequence', parts };
  }

  private class(rest: string): void {
    const { test, length } = new ClassReader(rest, this.flags.ignoreCase).read();
    this.add({ kind: 'character', test }, length);
  }

  private escape(rest: string): void {
    const letter = rest[1] ?? '';
    const assertion = ESCAPED_ASSERTIONS[letter];
    const perl = PERL_CLASSES[letter];
    if (assertion !== undefined) this.assert(assertion, 2);
    else if (letter === 'Q') this.quoted(rest);
    else if (perl !== undefined) this.addTest(perl, 2);
    else if (letter === 'p' || letter === 'P') {
      const { test, length } = ClassReader.unicode(rest);
      this.addTest(test, length);
    } else {
      const { code, length } = readEscape(rest);
      this.literal(String.fromCodePoint(code), length);
    }
  }

  private quoted(rest: string): void {
    const end = rest.indexOf('\\E');
    const text = end === -1 ? rest.slice(2) : rest.slice(2, end);
    this.skip(2);
    for (const char of text) this.literal(char);
    if (end !== -1) this.skip(2);
  }

  private repeatOrLiteral(rest: string, lastRepeat: number | undefined): void {
    const repeat = readRepeat(rest);
    if (repeat === undefined) this.literal(String.fromCodePoint(rest.codePointAt(0) ?? 0));
    else this.repeat(rest, repeat, lastRepeat);
  }

  private repeat(rest: string, { min, max, length }: Repeat, lastRepeat: number | undefined): void {
    const operator = rest.slice(0, length);
    if (min < 0 || min > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && (max > MAX_REPEAT || min > max))) {
      throw new GoRegexpError('invalid repeat count', operator.replace(/(\})\?$/, '$1'));
    }
    if (lastRepeat !== undefined) {
      const both = this.source.slice(lastRepeat, this.position + length);
      throw new GoRegexpError('invalid nested repetition operator', both);
    }
    const of = this.group.parts.pop();
    if (of === undefined) throw new GoRegexpError('missing argument to repetition operator', operator);
    const part: Expression = { kind: 'repeat', of, min, max };
    if (repeatedTimes(part) > MAX_REPEAT) throw new GoRegexpError('invalid repeat count', operator);
    this.lastRepeat = this.position;
    this.add(part, length);
  }
}

/** How often counted repetitions, nested in each other, multiply what is innermost. */
function repeatedTimes(expression: Expression): number {
  switch (expression.kind) {
    case 'repeat': {
      const { min, max, of } = expression;
      const times = max === Number.POSITIVE_INFINITY ? min : max;
      return Math.max(times, 1) * repeatedTimes(of);
    }
    case 'sequence':
      return Math.max(1, ...expression.parts.map(repeatedTimes));
    case 'choice':
      return Math.max(1, ...expression.options.map(repeatedTimes));
    default:
      return 1;
  }
}

export function parseExpression(source: string): Expression {
  return new Parser(source).parse();
}
