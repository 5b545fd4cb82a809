import { SidestepError } from '../errors.js';

/** Thrown by {@link parseGoRegexp}; the message is the one of Go's `regexp.Compile`. */
export class GoRegexpError extends SidestepError {
  constructor(problem: string, part: string) {
    super('REGEXP_INVALID', `error parsing regexp: ${problem}: \`${part}\``, {
      hint: 'Write a regular expression in the syntax of https://pkg.go.dev/regexp/syntax.',
    });
  }
}
