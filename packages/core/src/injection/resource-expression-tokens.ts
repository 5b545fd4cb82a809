type Punctuation = '+' | '-' | '*' | '/' | '(' | ')' | ',';

/** `unknown` is a character that no expression may hold. */
export interface ExpressionToken {
  kind: Punctuation | 'number' | 'quantity' | 'name' | 'unknown' | 'end';
  text: string;
}

const PUNCTUATION = '+-*/(),';
const NAME = /\p{L}[\p{L}\d_]*/uy;
const QUANTITY = /^(?=\D*\d)[\d.eE+-]+(?:m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)$/;

/**
 * A number as OpenKruise 1.9 delimits it: digits with one point and one exponent, then `%` or a run of letters. The letters
 * belong to it whatever they are, only the units in QUANTITY make it a quantity; right after a bare `e` they do not.
 */
const NUMBER = /\d*(?:\.\d*)?(?:[eE](?:[+-]\d*|\d+)(?:%|(?![eE])\p{L}+)?|[eE]%?|%|\p{L}+)?/uy;

/** Splits a resource expression into tokens and knows where the last one ended. */
export class ExpressionTokens {
  /** The place right after the last token, counted from 1, for error messages. */
  line = 1;
  column = 1;
  private position = 0;

  constructor(private readonly text: string) {}

  next(): ExpressionToken {
    this.take(/\s*/y);
    const first = this.text.charAt(this.position);
    if (first === '') return { kind: 'end', text: '' };
    if (PUNCTUATION.includes(first)) return { kind: this.take(/./y) as Punctuation, text: first };
    if (first === '.' || (first >= '0' && first <= '9')) {
      const text = this.take(NUMBER);
      return { kind: QUANTITY.test(text) ? 'quantity' : 'number', text };
    }
    const name = this.take(NAME);
    return name === '' ? { kind: 'unknown', text: this.take(/[\s\S]/y) } : { kind: 'name', text: name };
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.position;
    const text = pattern.exec(this.text)?.[0] ?? '';
    this.position += text.length;
    const lines = text.split('\n');
    this.line += lines.length - 1;
    this.column = lines.length === 1 ? this.column + text.length : lines.at(-1)!.length + 1;
    return text;
  }
}
