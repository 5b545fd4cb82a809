import { anyOf, ignoringCase, not, PERL_CLASSES, POSIX_CLASSES, unicodeClass } from './character-classes.js';
import { readEscape } from './escapes.js';
import type { CharacterTest } from './expression.js';
import { GoRegexpError } from './go-regexp-error.js';

interface Class {
  test: CharacterTest;
  length: number;
}

/** Reads a bracket expression, from its `[`. */
export class ClassReader {
  private position = 1;
  private readonly tests: CharacterTest[] = [];

  constructor(
    private readonly source: string,
    private readonly ignoreCase: boolean,
  ) {}

  read(): Class {
    const isNegated = this.source[1] === '^';
    if (isNegated) this.position = 2;
    // A bracket or dash that comes first is a plain character.
    for (let isFirst = true; isFirst || this.source[this.position] !== ']'; isFirst = false) this.readElement();
    const members = anyOf(...this.tests);
    const test = this.ignoreCase ? ignoringCase(members) : members;
    return { test: isNegated ? not(test) : test, length: this.position + 1 };
  }

  private get rest(): string {
    return this.source.slice(this.position);
  }

  private readElement(): void {
    const named = this.named() ?? this.escapedClass();
    if (named !== undefined) {
      this.tests.push(named.test);
      this.position += named.length;
      return;
    }
    const start = this.position;
    const low = this.character();
    let high = low;
    if (/^-[^\]]/su.test(this.rest)) {
      this.position += 1;
      high = this.character();
      if (high < low) {
        throw new GoRegexpError('invalid character class range', this.source.slice(start, this.position));
      }
    }
    this.tests.push((code) => code >= low && code <= high);
  }

  private named(): Class | undefined {
    const end = this.rest.startsWith('[:') ? this.rest.indexOf(':]', 2) : -1;
    if (end === -1) return undefined;
    const text = this.rest.slice(0, end + 2);
    const isNegated = text[2] === '^';
    const test = POSIX_CLASSES.get(text.slice(isNegated ? 3 : 2, -2));
    if (test === undefined) throw new GoRegexpError('invalid character class range', text);
    return { test: isNegated ? not(test) : test, length: text.length };
  }

  private escapedClass(): Class | undefined {
    if (this.rest[0] !== '\\') return undefined;
    const letter = this.rest[1] ?? '';
    if (letter === 'p' || letter === 'P') return ClassReader.unicode(this.rest);
    const test = PERL_CLASSES[letter];
    return test === undefined ? undefined : { test, length: 2 };
  }

  private character(): number {
    const rest = this.rest;
    if (rest === '') throw new GoRegexpError('missing closing ]', this.source);
    if (rest[0] === '\\') {
      const { code, length } = readEscape(rest);
      this.position += length;
      return code;
    }
    const code = rest.codePointAt(0) ?? 0;
    this.position += code > 0xffff ? 2 : 1;
    return code;
  }

  /** Reads `\p{Greek}`, `\pL`, `\P{^L}` from the backslash. */
  static unicode(rest: string): Class {
    const match = /^\\[pP](?:\{([^}]*)\}|([^{]))/su.exec(rest);
    if (match === null) throw new GoRegexpError('invalid character class range', rest);
    const name = match[1] ?? match[2] ?? '';
    const isNegated = (rest[1] === 'P') !== name.startsWith('^');
    const test = unicodeClass(name.replace(/^\^/, ''));
    if (test === undefined) throw new GoRegexpError('invalid character class range', match[0]);
    return { test: isNegated ? not(test) : test, length: match[0].length };
  }
}
