import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GoJsonError, parseGoJson } from './go-json.js';
import { MergeJsonError, mergeJson } from './merge-json.js';

describe('merging JSON annotations', () => {
  test.each([
    [
      '{"a":{"y":2},"b":1,"c":[5,6],"z":"<&>"}',
      '{"a":{"x":1},"b":null,"c":[1]}',
      '{"a":{"x":1,"y":2},"c":[1],"z":"\\u003c\\u0026\\u003e"}',
    ],
    ['{"b": 1.0, "a": {"z":1, "y":2}}', '{"c":1e2}', '{"a":{"z":1,"y":2},"b":1.0,"c":1e2}'],
    ['{"big":12345678901234567890}', '{}', '{"big":12345678901234567890}'],
    ['{"a":1}', '{"n":{"keep":1,"drop":null}}', '{"a":1,"n":{"keep":1}}'],
    ['{"a":{"b":1}}', '{"a":[null,{"x":null}]}', '{"a":[null,{"x":null}]}'],
    ['{"a":1}', '{"a":[null,{"x":null}]}', '{"a":[null,{}]}'],
    ['{"a":null}', '{"a":{"b":null,"c":1}}', '{"a":{"c":1}}'],
    ['5', '{"a":1,"b":null}', '{"a":1}'],
    ['{"a":1}', '[1, {"b":null}]', '[1,{}]'],
    ['{"\u{1f600}":1,"\uffff":2}', '{"z":1}', '{"z":1,"\uffff":2,"\u{1f600}":1}'],
  ])('%s and %s make %s', (original, patch, expected) => {
    expect(mergeJson(original, patch)).toBe(expected);
  });

  test.each([
    ['not json', '{}', 'Invalid JSON Document'],
    ['null', '{}', 'Invalid JSON Document'],
    ['{}', 'not json', 'Invalid JSON Patch'],
    ['{}', '5', 'Invalid JSON Patch'],
  ])('%s and %s are refused: %s', (original, patch, message) => {
    expect(() => mergeJson(original, patch)).toThrow(new MergeJsonError(message));
  });

  test('an empty change keeps the meaning of any object', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const text = JSON.stringify(object);
        expect(JSON.parse(mergeJson(text, '{}'))).toEqual(JSON.parse(text));
      }),
    );
  });
});

describe('reading JSON as Go does', () => {
  test.each([
    ['not json', "invalid character 'o' in literal null (expecting 'u')"],
    ['', 'unexpected end of JSON input'],
    ['{"a":1', 'unexpected end of JSON input'],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['-a', "invalid character 'a' in numeric literal"],
    ['1.a', "invalid character 'a' after decimal point in numeric literal"],
    ['1ea', "invalid character 'a' in exponent of numeric literal"],
    ['trve', "invalid character 'v' in literal true (expecting 'u')"],
    ["'a'", `invalid character '\\'' looking for beginning of value`],
    ['é', "invalid character 'Ã' looking for beginning of value"],
  ])('%j is refused: %s', (text, message) => {
    expect(() => parseGoJson(text)).toThrow(new GoJsonError(message));
  });

  test('accepts exactly what JSON.parse accepts', () => {
    const anyText = fc.oneof(fc.json(), fc.string({ unit: fc.constantFrom(...'{}[]",:0123.eE-+truefalsn \\u"') }));
    fc.assert(
      fc.property(anyText, (text) => {
        expect(isAccepted(() => parseGoJson(text))).toBe(isAccepted(() => JSON.parse(text)));
      }),
      { numRuns: 3_000 },
    );
  });

  test('refuses nesting that would exhaust the stack', () => {
    expect(() => parseGoJson('['.repeat(1_000_000))).toThrow(new GoJsonError('exceeded max depth'));
  });
});

function isAccepted(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}
