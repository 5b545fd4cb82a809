import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { recordedAnswers } from '../../../testing/recorded-answers.js';
import { GoRegexpError, parseGoRegexp } from './go-regexp.js';

type Answer = { expression: string } & ({ error: string } | { matches: string[]; not: string[] });

describe('regular expressions of Go', () => {
  test.each(recordedAnswers<Answer>('go-regexp.jsonl'))('$expression means what it means in Go', (answer) => {
    const { expression } = answer;
    if ('error' in answer) {
      expect(() => parseGoRegexp(expression)).toThrow(answer.error);
      return;
    }
    const parsed = parseGoRegexp(expression);
    expect(answer.matches.filter((text) => !parsed.test(text))).toEqual([]);
    expect(answer.not.filter((text) => parsed.test(text))).toEqual([]);
  });

  test('match what JavaScript matches where both have the same syntax', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '^', '$', 'ab');
    const expressions = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { depthSize: 'small' },
        atom,
        fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
        fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(?:${a}|${b})`),
        fc.tuple(tie('node'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}')).map(([a, times]) => `(?:${a})${times}`),
      ),
    })).node;
    const texts = fc.stringMatching(/^[abc]{0,6}$/);
    fc.assert(
      fc.property(expressions, texts, (expression, text) => {
        expect(parseGoRegexp(expression).test(text)).toBe(new RegExp(expression).test(text));
      }),
    );
  });

  test('take time linear in the text where backtracking would take for ever', () => {
    const text = 'a'.repeat(5000);
    expect(parseGoRegexp('^(a+)+$').test(`${text}b`)).toBe(false);
    expect(parseGoRegexp('^(a|aa)+$').test(text)).toBe(true);
  });

  test('are refused when they are too large or nested too deeply', () => {
    expect(() => parseGoRegexp('(?:a{100}b{100}){10}'.repeat(20))).toThrow('expression too large');
    expect(() => parseGoRegexp('('.repeat(100_000))).toThrow('expression nests too deeply');
  });

  test('never fail in another way than by saying what is wrong', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[[\](){}\\^$.|*+?a-z0-9:<>P,-]*$/)),
        (text) => {
          try {
            parseGoRegexp(text).test(text);
          } catch (error) {
            expect(error).toBeInstanceOf(GoRegexpError);
          }
        },
      ),
    );
  });
});
