import fc from 'fast-check';
import type { Shape, StructShape } from '../src/api/schema/shape.js';

const texts = fc.oneof(
  fc.constantFrom('', 'a', 'http', '<b>&', '\u2028é\u2029', '日本\u{1F600}', '"\\\n\t\u0001\b\f'),
  fc.string({ maxLength: 6 }),
);
const quantities = fc.constantFrom('0', '1.5', '+2', '1e-3', '12e2', '0.1Mi', '1000000m', '1.0Ti', 0.5, 2, '0.0001');

/** Any JSON value that the Go type can be read from, with fields missing, null and unknown. */
export function arbitraryOf(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'struct':
      return arbitraryStruct(shape);
    case 'list':
      return fc.array(arbitraryOf(shape.of), { maxLength: 2 });
    case 'map':
      return fc.dictionary(texts, arbitraryOf(shape.of), { maxKeys: 3 });
    case 'boolean':
      return fc.boolean();
    case 'int32':
      return fc.oneof(fc.constant(0), fc.integer());
    case 'int64':
      return fc.oneof(fc.constant(0), fc.maxSafeInteger());
    case 'quantity':
      return quantities;
    case 'intOrString':
      return fc.oneof(fc.integer({ min: 0, max: 70_000 }), texts);
    default:
      return texts;
  }
}

/** At most six fields each, or a value would hardly end. */
function arbitraryStruct(shape: StructShape): fc.Arbitrary<unknown> {
  return fc.subarray([...shape.fields]).chain((fields) => {
    const some = fields.slice(0, 6).map((field) => [field.name, fc.option(arbitraryOf(field.shape), { freq: 4 })]);
    return fc.record({ ...Object.fromEntries(some), newerField: fc.constantFrom(undefined, { x: [1] }) });
  });
}
