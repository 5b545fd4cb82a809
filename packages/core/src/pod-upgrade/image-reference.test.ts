import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digestOf, isDigestImage, isSameImage, withGeneration, withoutGeneration } from './image-reference.js';

const D = `sha256:${'0123456789abcdef'.repeat(4)}`;

describe('a generation tag', () => {
  test.each([
    [`empty@${D}`, `empty:g7@${D}`],
    [`empty:1.2@${D}`, `empty:1.2-g7@${D}`],
    [`registry.example:5000/team/empty@${D}`, `registry.example:5000/team/empty:g7@${D}`],
    [`registry.example:5000/team/empty:1@${D}`, `registry.example:5000/team/empty:1-g7@${D}`],
  ])('gives %s another name and is told as the same image', (plain, named) => {
    expect(withGeneration(plain, 7)).toBe(named);
    expect(withGeneration(named, 7)).toBe(named);
    expect(withoutGeneration(named)).toBe(plain);
    expect(isSameImage(plain, named)).toBe(true);
    expect(isSameImage(withGeneration(plain, 8), named)).toBe(true);
  });

  test.each([
    ['another digest', `empty@${D}`, `empty:g1@sha256:${'f'.repeat(64)}`],
    ['another repository', `empty@${D}`, `other:g1@${D}`],
    ['a tag of the user', `empty:1@${D}`, `empty:2@${D}`],
    ['references by tag, whatever they look like', 'empty:g1', 'empty:g2'],
  ])('does not hide %s', (_, a, b) => {
    expect(isSameImage(a, b)).toBe(false);
  });

  test('comes off again whatever the reference is', () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,8}(:[0-9]{2,4}\/[a-z]{1,8})?$/);
    const tag = fc.option(fc.stringMatching(/^[a-z0-9.]{1,8}$/), { nil: undefined });
    fc.assert(
      fc.property(name, tag, fc.integer({ min: 1, max: 999 }), (repository, each, generation) => {
        const plain = withoutGeneration(`${repository}${each === undefined ? '' : `:${each}`}@${D}`);
        expect(withoutGeneration(withGeneration(plain, generation))).toBe(plain);
      }),
    );
  });
});

test('a digest is a whole sha256 at the end', () => {
  expect(isDigestImage(`a@${D}`)).toBe(true);
  expect(digestOf(`a:1@${D}`)).toBe(D);
  for (const image of ['a', 'a:1', 'a@sha256:12', `a@${D}x`, '']) expect(isDigestImage(image)).toBe(false);
});
