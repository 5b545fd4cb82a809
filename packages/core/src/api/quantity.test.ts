import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { recordedAnswers } from '../../testing/recorded-answers.js';
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  QuantityError,
  quantityMilliValue,
  quantityValue,
  resourceQuantityText,
} from './quantity.js';

type Answer = { text: string } & ({ error: true } | { printed: string; inResources: string });

const quantities = fc
  .tuple(
    fc.constantFrom('', '+', '-'),
    fc.stringMatching(/^[0-9]{1,12}(\.[0-9]{0,6})?$/),
    fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'e-3', 'E2'),
  )
  .map((parts) => parts.join(''));

describe('quantities', () => {
  test('are read and printed as Kubernetes does', () => {
    for (const answer of recordedAnswers<Answer>('kubernetes-1.32-quantities.jsonl')) {
      const { text } = answer;
      if ('error' in answer) expect(() => parseQuantity(text)).toThrow(QuantityError);
      else {
        expect([text, formatQuantity(parseQuantity(text))]).toEqual([text, answer.printed]);
        expect([text, resourceQuantityText(text)]).toEqual([text, answer.inResources]);
      }
    }
  });

  test('mean the same after they were printed, and print the same again', () => {
    fc.assert(
      fc.property(quantities, (text) => {
        const once = parseQuantity(text);
        const again = parseQuantity(formatQuantity(once));
        expect(compareQuantities(once, again)).toBe(0);
        expect(formatQuantity(again)).toBe(formatQuantity(once));
        expect(resourceQuantityText(resourceQuantityText(text))).toBe(resourceQuantityText(text));
      }),
    );
  });

  test('add and compare exactly', () => {
    fc.assert(
      fc.property(quantities, quantities, (a, b) => {
        const [x, y] = [parseQuantity(a), parseQuantity(b)];
        const sum = addQuantities(x, y);
        expect(Math.sign(compareQuantities(sum, y))).toBe(Math.sign(compareQuantities(x, parseQuantity('0'))));
      }),
    );
    expect(formatQuantity(addQuantities(parseQuantity('1Gi'), parseQuantity('512Mi')))).toBe('1536Mi');
    expect(formatQuantity(addQuantities(parseQuantity('0'), parseQuantity('1Gi')))).toBe('1Gi');
  });

  test('round away from zero to whole and thousandth units', () => {
    expect(quantityValue(parseQuantity('0.1Mi'))).toBe(104858n);
    expect(quantityMilliValue(parseQuantity('0.1Mi'))).toBe(104857600n);
    expect(quantityMilliValue(parseQuantity('1u'))).toBe(1n);
    expect(quantityValue(parseQuantity('-1.5'))).toBe(-2n);
  });

  test('are refused when an exponent would make a number without end', () => {
    expect(() => parseQuantity('1e999999999')).toThrow(QuantityError);
    expect(() => parseQuantity('9'.repeat(1000))).toThrow(QuantityError);
  });
});
