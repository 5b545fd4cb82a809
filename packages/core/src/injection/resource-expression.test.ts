import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatQuantity, parseQuantity } from '../api/quantity.js';
import {
  type ExpressionVariables,
  evaluateResourceExpression,
  resourceAmount,
} from './evaluate-resource-expression.js';
import { parseResourceExpression, ResourceExpressionError } from './resource-expression.js';

const variables: ExpressionVariables = { cpu: parseQuantity('1500m'), memory: parseQuantity('2Gi') };

function compute(text: string, given: ExpressionVariables = variables): string {
  const value = evaluateResourceExpression(text, given);
  return typeof value === 'number' ? `number ${value}` : formatQuantity(value);
}

function failure(text: string, given: ExpressionVariables = variables): string {
  try {
    return `computed ${compute(text, given)}`;
  } catch (error) {
    if (!(error instanceof ResourceExpressionError)) throw error;
    return error.message;
  }
}

describe('a resource expression', () => {
  test.each([
    ['cpu', '1500m'],
    ['CPU * 2', '3'],
    ['cpu*50%', '750m'],
    ['memory*10%', '214748364800m'],
    ['max(memory*10%, 200Mi)', '214748364800m'],
    ['Min(memory*2, 3Gi)', '3Gi'],
    ['memory*25%', '512Mi'],
    ['memory + 10Mi', '2058Mi'],
    ['memory-1Gi', '1Gi'],
    ['cpu + 1', '2500m'],
    ['1 + cpu', '2500m'],
    ['-cpu + 2', '500m'],
    ['--cpu', '1500m'],
    ['2 * (cpu - 500m) / 4', '500m'],
    ['10 - 2 - 3', 'number 5'],
    ['2 + 3 * 4', 'number 14'],
    ['1e2 + .5 + 2.', 'number 102.5'],
    ['200Mi', '200Mi'],
    ['max(1, 2)', 'number 2'],
    ['max(cpu, 1)', '1500m'],
    ['min(1, cpu)', '1'],
    ['50%', 'number 0.5'],
    [' \n cpu', '1500m'],
  ])('%s gives %s', (text, expected) => {
    expect(compute(text)).toBe(expected);
  });

  test.each([
    ['cpu**2', 'parse error: syntax error at line 1, col 6'],
    ['', 'parse error: syntax error at line 1, col 1'],
    ['cpu +', 'parse error: syntax error at line 1, col 6'],
    ['(cpu', 'parse error: syntax error at line 1, col 5'],
    ['max()', 'parse error: syntax error at line 1, col 6'],
    ['max(1,2,3)', 'parse error: syntax error at line 1, col 9'],
    ['1 2', 'parse error: syntax error at line 1, col 4'],
    ['cpu\n + $', 'parse error: syntax error at line 2, col 5'],
    ['1Ei', 'parse error: syntax error at line 1, col 4'],
    ['foo(1)', 'unknown function: foo'],
    ['max(1)', 'max function requires exactly 2 arguments, got 1'],
    ['Foo + 1', 'undefined variable: foo'],
    ['foo + bar', 'undefined variable: bar'],
    ['cpu/0', 'division by zero'],
    ['1/0', 'division by zero'],
    ['1Gi*1Gi', 'multiplication of two quantities'],
    ['1/cpu', 'division by quantity'],
    ['cpu - 2', 'calculation result is negative: -500m'],
    ['0.5 - 2', 'calculation result is negative: -1.5'],
    ['0 - 12345678', 'calculation result is negative: -1.2345678e+07'],
    ['0 - 0.00001', 'calculation result is negative: -1e-05'],
    ['cpu/0 )', 'division by zero'],
    ['5E', 'parse error: invalid number "5E" at line 1, col 3'],
    ['1e', 'parse error: invalid number "1e" at line 1, col 3'],
    ['1e+', 'parse error: invalid number "1e+" at line 1, col 4'],
    ['.', 'parse error: invalid number "." at line 1, col 2'],
    ['cpu + .%', 'parse error: invalid number ".%" at line 1, col 9'],
    ['.Gi', 'parse error: invalid number ".Gi" at line 1, col 4'],
    ['5E + 1Q', 'parse error: invalid number "5E" at line 1, col 3'],
    ['5abc + 1', 'parse error: invalid number "5abc" at line 1, col 5'],
    ['1n', 'parse error: invalid number "1n" at line 1, col 3'],
    ['5Q', 'parse error: invalid number "5Q" at line 1, col 3'],
    ['1e400', 'parse error: number "1e400" is out of range at line 1, col 6'],
    ['max(1,\n 1e400%)', 'parse error: number "1e400%" is out of range at line 2, col 8'],
    [`1${'0'.repeat(309)}`, `parse error: number "1${'0'.repeat(309)}" is out of range at line 1, col 311`],
    ['1e308 * 10', 'calculation result is out of range: +Inf'],
    ['0 - 1e308 * 10', 'calculation result is out of range: +Inf'],
    ['1e308 + 1e308', 'calculation result is out of range: +Inf'],
    ['1 / 1e-320', 'calculation result is out of range: +Inf'],
    ['cpu * 1e30', 'calculation result is out of range: 1.5e+30'],
    ['cpu * -1e30', 'calculation result is out of range: -1.5e+30'],
    ['cpu / 1e-30', 'calculation result is out of range: 1.5e+30'],
    ['memory * 1e18', 'calculation result is out of range: 2.147483648e+27'],
    ['cpu + 1e17', 'calculation result is out of range: 1e+17'],
    ['min(cpu, 1e17)', 'calculation result is out of range: 1e+17'],
    ['9000P + 9000P', 'calculation result is out of range: 18E'],
  ])('%j is refused with: %s', (text, message) => {
    expect(failure(text)).toBe(message);
  });

  test.each([
    ['cpu', 9.2e15, '9200000000000000'],
    ['cpu', 1e16, 'calculation result is out of range: 1e+16'],
    ['memory', 1e16, '10000000000000000'],
    ['memory', 9.3e18, 'calculation result is out of range: 9.3e+18'],
  ] as const)('gives %s the number %d as a quantity, or says that there is none', (resource, value, expected) => {
    const amount = () => formatQuantity(resourceAmount(value, resource));
    if (expected.startsWith('calc')) expect(amount).toThrow(expected);
    else expect(formatQuantity(parseQuantity(amount()))).toBe(formatQuantity(parseQuantity(expected)));
  });

  test('that is a hundred thousand digits and no number is refused at once', () => {
    expect(failure(`${'1'.repeat(100_000)}x`)).toContain('invalid number');
  });

  test('gives a quantity that Kubernetes reads, or an error, whatever it is made of', () => {
    const characters = fc.constantFrom(
      'cpu',
      'memory',
      '9',
      '0',
      '1e300',
      '1e18',
      '.5',
      '%',
      '+',
      '-',
      '*',
      '/',
      '(',
      ')',
      'max(',
      ',',
      'Gi',
      'P',
      'e',
      'E',
    );
    const parts = fc.array(characters, { maxLength: 12 }).map((each) => each.join(''));
    fc.assert(
      fc.property(parts, fc.constantFrom('cpu' as const, 'memory' as const), (text, resource) => {
        let amount: string;
        try {
          amount = formatQuantity(resourceAmount(evaluateResourceExpression(text, variables), resource));
        } catch (error) {
          expect(error).toBeInstanceOf(ResourceExpressionError);
          return;
        }
        const { unscaled, scale } = parseQuantity(amount);
        expect(unscaled >= 0n && unscaled * 10n ** BigInt(Math.max(scale, 0)) < 2n ** 63n).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  test('is read once and computed with other values each time', () => {
    const expression = parseResourceExpression('cpu*2');
    const twice = (cpu: string): string => {
      const value = evaluateResourceExpression(expression, { cpu: parseQuantity(cpu) });
      return typeof value === 'number' ? '' : formatQuantity(value);
    };
    expect([twice('100m'), twice('3')]).toEqual(['200m', '6']);
  });

  test('that nests too deeply is a syntax error and exhausts no stack', () => {
    expect(failure('('.repeat(100_000))).toMatch(/^parse error: syntax error at line 1, col \d+$/);
    expect(failure('-'.repeat(100_000))).toMatch(/^parse error/);
  });

  test('never fails in any other way than with its own error', () => {
    const characters = fc.constantFrom(...'cpumemoryaxin0123456789.eE%+-*/(), \nKMi$é');
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 40 }), (text) => {
        expect(typeof failure(text)).toBe('string');
      }),
      { numRuns: 2_000 },
    );
  });

  test('of whole numbers agrees with arithmetic', () => {
    const sum = fc.array(fc.nat(1000), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sum, (numbers) => {
        expect(compute(numbers.join('+'))).toBe(`number ${numbers.reduce((a, b) => a + b)}`);
      }),
    );
  });
});
