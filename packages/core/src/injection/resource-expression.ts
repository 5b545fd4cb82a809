import { SidestepError } from '../api/errors.js';
import { quoteGo } from '../api/field-error.js';
import { type ExpressionToken, ExpressionTokens } from './resource-expression-tokens.js';

/** A `resourcesPolicy` expression that cannot be read or computed; the message is the one OpenKruise 1.9 gives, or one of its kind. */
export class ResourceExpressionError extends SidestepError {
  constructor(message: string) {
    super('RESOURCE_EXPRESSION_INVALID', message, {
      hint: 'Use numbers, percentages, quantities, cpu or memory, + - * / ( ), max(a,b) and min(a,b).',
    });
  }
}

/** One step of a stack machine; operands come from the stack, the result goes onto it. */
export type ExpressionStep =
  | { do: 'number'; value: number }
  | { do: 'quantity'; text: string }
  | { do: 'variable'; name: string }
  | { do: 'negate' | 'add' | 'subtract' | 'multiply' | 'divide' }
  | { do: 'call'; name: string; operands: 1 | 2 };

/**
 * An expression, read once and computed for many pods.
 *
 * Steps stand in the order in which they are computed. After a syntax error they are the ones before it: an error in computing
 * those comes first, as in OpenKruise, whose parser computes while it reads.
 */
export interface ResourceExpression {
  readonly text: string;
  readonly steps: readonly ExpressionStep[];
  readonly syntaxError?: string;
}

/** Deeper nesting is a syntax error; it keeps a hostile expression from exhausting the stack. */
const MAX_DEPTH = 200;

/**
 * Reads an expression of `resourcesPolicy.resourcesExpr`; never throws, a syntax error is part of the result.
 *
 * Grammar (OpenKruise 1.9): `+ - * /` with the usual precedence, parentheses, unary minus, `max(a,b)`, `min(a,b)`, the
 * variables `cpu` and `memory`, numbers with exponent or `%`, and quantities with m k M G T P Ki Mi Gi Ti Pi. Unlike there, a
 * number that cannot be read (`5E`, `1e`, `.`) or that no double holds (`1e400`) is an error, too.
 */
export function parseResourceExpression(text: string): ResourceExpression {
  const reader = new ExpressionReader(text);
  try {
    reader.readAll();
    return { text, steps: reader.steps };
  } catch (error) {
    if (!(error instanceof ResourceExpressionError)) throw error;
    return { text, steps: reader.steps, syntaxError: error.message };
  }
}

class ExpressionReader {
  readonly steps: ExpressionStep[] = [];
  private readonly tokens: ExpressionTokens;
  private token: ExpressionToken;
  private depth = 0;
  /** The first number that is none. What else is wrong, OpenKruise refuses too, so that is told rather than this. */
  private badNumber: ResourceExpressionError | undefined;

  constructor(text: string) {
    this.tokens = new ExpressionTokens(text);
    this.token = this.tokens.next();
  }

  readAll(): void {
    this.sum();
    if (!this.is('end')) this.fail();
    if (this.badNumber !== undefined) throw this.badNumber;
  }

  private sum(): void {
    this.product();
    while (this.is('+') || this.is('-')) {
      const step = this.is('+') ? 'add' : 'subtract';
      this.advance();
      this.product();
      this.steps.push({ do: step });
    }
  }

  private product(): void {
    this.factor();
    while (this.is('*') || this.is('/')) {
      const step = this.is('*') ? 'multiply' : 'divide';
      this.advance();
      this.factor();
      this.steps.push({ do: step });
    }
  }

  private factor(): void {
    if (++this.depth > MAX_DEPTH) this.fail();
    const { kind, text } = this.token;
    if (kind === 'number') this.steps.push({ do: 'number', value: this.numberOf(text) });
    else if (kind === 'quantity') this.steps.push({ do: 'quantity', text });
    else if (kind !== 'name' && kind !== '(' && kind !== '-') this.fail();
    this.advance();
    if (kind === 'name') this.variableOrCall(text);
    if (kind === '(') {
      this.sum();
      this.expect(')');
    }
    if (kind === '-') {
      this.factor();
      this.steps.push({ do: 'negate' });
    }
    this.depth -= 1;
  }

  private variableOrCall(name: string): void {
    if (!this.is('(')) {
      this.steps.push({ do: 'variable', name: name.toLowerCase() });
      return;
    }
    this.advance();
    this.sum();
    const operands = this.is(',') ? 2 : 1;
    if (operands === 2) {
      this.advance();
      this.sum();
    }
    this.expect(')');
    this.steps.push({ do: 'call', name, operands });
  }

  private expect(kind: ')'): void {
    if (!this.is(kind)) this.fail();
    this.advance();
  }

  private is(kind: ExpressionToken['kind']): boolean {
    return this.token.kind === kind;
  }

  private advance(): void {
    this.token = this.tokens.next();
  }

  /** OpenKruise counts what it cannot read as 0, so that a mistyped limit admits pods with a limit of nothing. */
  private numberOf(text: string): number {
    const percent = text.endsWith('%');
    const digits = percent ? text.slice(0, -1) : text;
    const number = FLOAT.test(digits) ? Number(digits) : Number.NaN;
    if (Number.isFinite(number)) return percent ? number / 100 : number;
    const quoted = quoteGo(text);
    this.badNumber ??= this.error(
      Number.isNaN(number) ? `invalid number ${quoted}` : `number ${quoted} is out of range`,
    );
    return 0;
  }

  private fail(): never {
    throw this.error('syntax error');
  }

  private error(problem: string): ResourceExpressionError {
    const { line, column } = this.tokens;
    return new ResourceExpressionError(`parse error: ${problem} at line ${line}, col ${column}`);
  }
}

const FLOAT = /^(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
