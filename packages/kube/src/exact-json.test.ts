import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseJson, printJson } from './exact-json.js';
import { hasLongNumber, replaceNumbers } from './number-literals.js';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

/** JSON values whose whole numbers may need 64 bits and more. */
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      int64,
      fc.bigInt(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
      fc.constantFrom('"9223372036854775807"', '\\9223372036854775807', '1234567890123456789', ':1234567890123456789,'),
      fc.constantFrom(null, true, false),
    ),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '12345678901234567')),
      tie('tree'),
      {
        maxKeys: 4,
        noNullPrototype: true,
      },
    ),
  ),
}));

describe('JSON with every digit of its whole numbers', () => {
  test.each([
    ['9223372036854775807', 9223372036854775807n],
    ['[-9223372036854775808]', [-9223372036854775808n]],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['{"a": 18446744073709551616 }', { a: 18446744073709551616n }],
    ['{"a":"9223372036854775807"}', { a: '9223372036854775807' }],
    ['["\\"9223372036854775807"]', ['"9223372036854775807']],
    ['1234567890123456789.5', Number('1234567890123456789.5')],
    ['12345678901234567e3', Number('12345678901234567e3')],
    ['0.1234567890123456789', Number('0.1234567890123456789')],
  ])('of %s is exact', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  test.each([
    '01234567890123456789',
    '{1234567890123456789:1}',
    '1234567890123456789 1234567890123456789',
    '[1234567890123456789abc]',
    '"1234567890123456789',
    '-',
    '{"a":1234567890123456789,}',
  ])('is none when it is %s', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
  });

  test('is what JSON.parse and JSON.stringify say wherever no digit is lost', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        expect(printJson(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 500 },
    );
  });

  test('comes back as it was printed', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const text = printJson(value);
        expect(printJson(parseJson(text))).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  test('of hostile size takes linear time and no stack', () => {
    const digits = '1'.repeat(1_000_000);
    expect(parseJson(digits)).toBe(Number.POSITIVE_INFINITY);
    expect(() => parseJson(`${digits}x`)).toThrow(SyntaxError);
    expect(() => parseJson(`"${'\\'.repeat(1_000_000)}1234567890123456789`)).toThrow(SyntaxError);
    const deep = `${'['.repeat(200_000)}9223372036854775807${']'.repeat(200_000)}`;
    expect(parseJson(deep)).toHaveLength(1);
  });

  test('keeps a key that is the name of something inherited', () => {
    const value = parseJson('{"__proto__":9223372036854775807}') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(printJson(value)).toBe('{"__proto__":9223372036854775807}');
  });

  test('cannot be of a value that refers to itself', () => {
    const circle: unknown[] = [1n];
    circle.push(circle);
    expect(() => printJson(circle)).toThrow(TypeError);
  });
});

test('a long row of digits is seen wherever it stands, and no shorter one', () => {
  fc.assert(
    fc.property(fc.nat(40), fc.integer({ min: 1, max: 40 }), fc.nat(40), (before, digits, after) => {
      const text = `${'x'.repeat(before)}${'7'.repeat(digits)}${'x'.repeat(after)}`;
      expect(hasLongNumber(text)).toBe(digits >= 16);
    }),
  );
});

test('numbers are replaced outside of strings alone', () => {
  const text = '{"1":-1.50,"a\\"2":[1E+3, "3,4",0 ],"b":null}';
  expect(replaceNumbers(text, (literal) => `<${literal}>`)).toBe('{"1":<-1.50>,"a\\"2":[<1E+3>, "3,4",<0> ],"b":null}');
});
