export { GoRegexpError } from './go-regexp-error.js';

import { parseExpression } from './parser.js';
import { compileProgram, type Instruction, matches } from './program.js';

/** A regular expression with the syntax and meaning of Go's `regexp`, matched in time linear in the text. */
export class GoRegexp {
  constructor(
    readonly source: string,
    private readonly program: readonly Instruction[],
  ) {}

  /** Whether the expression matches somewhere in the text. */
  test(text: string): boolean {
    return matches(this.program, text);
  }
}

/**
 * Reads an expression as Go's `regexp.Compile` does: no backreferences, no lookaround, and so no expression that takes
 * exponential time. Throws `GoRegexpError`.
 */
export function parseGoRegexp(source: string): GoRegexp {
  return new GoRegexp(source, compileProgram(parseExpression(source), source));
}
