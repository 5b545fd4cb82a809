import { isWord } from './character-classes.js';
import type { Assertion, CharacterTest, Expression } from './expression.js';
import { GoRegexpError } from './go-regexp-error.js';

/** One instruction of the automaton; `next` and `other` are indexes of instructions. */
export type Instruction =
  | { kind: 'character'; test: CharacterTest; next: number }
  | { kind: 'assertion'; assertion: Assertion; next: number }
  | { kind: 'fork'; next: number; other: number }
  | { kind: 'match' };

const MAX_INSTRUCTIONS = 20_000;

/** Thompson's construction; the last instruction is where matching starts. */
export function compileProgram(expression: Expression, source: string): Instruction[] {
  const program: Instruction[] = [{ kind: 'match' }];
  const emit = (instruction: Instruction): number => {
    if (program.length >= MAX_INSTRUCTIONS) throw new GoRegexpError('expression too large', source);
    return program.push(instruction) - 1;
  };
  const compile = (part: Expression, next: number): number => {
    switch (part.kind) {
      case 'empty':
        return next;
      case 'character':
        return emit({ ...part, next });
      case 'assertion':
        return emit({ ...part, next });
      case 'sequence':
        return part.parts.reduceRight((after, each) => compile(each, after), next);
      case 'choice':
        return part.options
          .map((option) => compile(option, next))
          .reduceRight((other, start) => emit({ kind: 'fork', next: start, other }));
      case 'repeat':
        return compileRepeat(part, next);
    }
  };
  const compileRepeat = ({ of, min, max }: Extract<Expression, { kind: 'repeat' }>, next: number): number => {
    let start = next;
    if (max === Number.POSITIVE_INFINITY) {
      const loop = emit({ kind: 'fork', next: 0, other: next });
      const body = compile(of, loop);
      program[loop] = { kind: 'fork', next: body, other: next };
      start = loop;
    } else {
      for (let i = min; i < max; i++) start = emit({ kind: 'fork', next: compile(of, start), other: next });
    }
    for (let i = 0; i < min; i++) start = compile(of, start);
    return start;
  };
  const start = compile(expression, 0);
  emit({ kind: 'fork', next: start, other: start });
  return program;
}

/** Runs the automaton over the text, all of its threads in step. */
export function matches(program: readonly Instruction[], text: string): boolean {
  const characters = [...text].map((char) => char.codePointAt(0) ?? 0);
  const start = program.length - 1;
  let threads: number[] = [];
  for (let position = 0; position <= characters.length; position++) {
    const reached = reach(program, [...threads, start], characters, position);
    if (reached === 'match') return true;
    const code = characters[position];
    if (code === undefined) return false;
    threads = [];
    for (const index of reached) {
      const instruction = program[index];
      if (instruction?.kind === 'character' && instruction.test(code)) threads.push(instruction.next);
    }
  }
  return false;
}

/** The characters that may come next, after every fork and assertion that holds here. */
function reach(
  program: readonly Instruction[],
  from: number[],
  characters: number[],
  position: number,
): Set<number> | 'match' {
  const seen = new Set<number>();
  const stack = from;
  while (stack.length > 0) {
    const index = stack.pop() as number;
    if (seen.has(index)) continue;
    seen.add(index);
    const instruction = program[index] as Instruction;
    if (instruction.kind === 'match') return 'match';
    if (instruction.kind === 'fork') stack.push(instruction.next, instruction.other);
    if (instruction.kind === 'assertion' && holds(instruction.assertion, characters, position)) {
      stack.push(instruction.next);
    }
  }
  return seen;
}

const LINE_FEED = 0x0a;

function holds(assertion: Assertion, characters: number[], position: number): boolean {
  const before = characters[position - 1];
  const after = characters[position];
  const isBoundary = (before !== undefined && isWord(before)) !== (after !== undefined && isWord(after));
  switch (assertion) {
    case 'textStart':
      return before === undefined;
    case 'textEnd':
      return after === undefined;
    case 'lineStart':
      return before === undefined || before === LINE_FEED;
    case 'lineEnd':
      return after === undefined || after === LINE_FEED;
    case 'wordBoundary':
      return isBoundary;
    case 'noWordBoundary':
      return !isBoundary;
  }
}
