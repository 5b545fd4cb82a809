import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { arbitraryOf } from '../../../testing/arbitrary-shape.js';
import { recordedAnswers } from '../../../testing/recorded-answers.js';
import { compareBytes, genericJson, goJson, goRoundTrip, knownFields } from './go-json.js';
import { SIDECAR_CONTAINER } from './sidecar-container-types.js';
import { VOLUME } from './volume-types.js';

interface Answer {
  container?: unknown;
  volume?: unknown;
  written: string;
}

describe('JSON as Go writes it', () => {
  test('has the bytes that Go wrote for the same values', () => {
    for (const { container, volume, written } of recordedAnswers<Answer>('go-json.jsonl')) {
      if (container !== undefined) expect(goJson(SIDECAR_CONTAINER, container)).toBe(written);
      else expect(goJson(VOLUME, volume)).toBe(written);
    }
  });

  test.each([
    ['sidecar containers', SIDECAR_CONTAINER],
    ['volumes', VOLUME],
  ])('of %s, read again, gives the same bytes', (_, shape) => {
    fc.assert(
      fc.property(arbitraryOf(shape), (value) => {
        const written = goJson(shape, value);
        expect(goJson(shape, JSON.parse(written))).toBe(written);
        expect(goJson(shape, goRoundTrip(shape, value))).toBe(written);
        expect(JSON.parse(written)).toEqual(knownFields(shape, value));
      }),
    );
  });

  test('keeps unknown fields in the value and leaves them out of the bytes', () => {
    const value = JSON.parse('{"name":"a","newer":{"x":[1]},"env":[{"name":"E","newer":true}],"__proto__":{"y":1}}');
    const kept = goRoundTrip(SIDECAR_CONTAINER, value);
    expect(JSON.stringify(kept)).toContain('"__proto__":{"y":1}');
    expect(kept).toMatchObject({ newer: { x: [1] }, env: [{ name: 'E', newer: true }] });
    expect(goJson(SIDECAR_CONTAINER, value)).not.toContain('newer');
  });

  test('of any value has its keys in the order of their bytes', () => {
    expect(genericJson({ b: [{ z: 1, a: null }], a: '<', '\u{1F600}': 1, '\uffff': 2 })).toBe(
      '{"a":"\\u003c","b":[{"a":null,"z":1}],"\uffff":2,"\u{1F600}":1}',
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
      }),
    );
  });
});
