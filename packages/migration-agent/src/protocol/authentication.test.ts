import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chooseVersion, proofOf, sameProof } from './authentication.js';

const { authentication } = JSON.parse(
  readFileSync(new URL('../../../../docs/reference/takeover-protocol-vectors.json', import.meta.url), 'utf8'),
);

describe('proofs', () => {
  const secret = Buffer.from(authentication.secret, 'hex');

  test('are those of the published vectors', () => {
    expect(proofOf(secret, 'taker', authentication)).toBe(authentication.takerProof);
    expect(proofOf(secret, 'giver', authentication)).toBe(authentication.giverProof);
  });

  test('of one side are no proof of the other', () => {
    expect(sameProof(proofOf(secret, 'taker', authentication), proofOf(secret, 'giver', authentication))).toBe(false);
  });

  test('differ for every nonce, instance and secret', () => {
    const right = proofOf(secret, 'taker', authentication);
    for (const field of ['takerInstance', 'takerNonce', 'giverInstance', 'giverNonce']) {
      expect(proofOf(secret, 'taker', { ...authentication, [field]: 'ff' })).not.toBe(right);
    }
    expect(proofOf(Buffer.alloc(32, 8), 'taker', authentication)).not.toBe(right);
  });
});

describe('the version of a conversation', () => {
  test.each([
    ['the same', { min: 1, max: 1 }, { min: 1, max: 1 }, 1],
    ['a newer peer that still speaks ours', { min: 1, max: 2 }, { min: 1, max: 9 }, 2],
    ['an older peer that we still speak', { min: 2, max: 5 }, { min: 1, max: 3 }, 3],
    ['a peer that has given ours up', { min: 1, max: 2 }, { min: 3, max: 4 }, undefined],
    ['a peer that is too old for us', { min: 3, max: 4 }, { min: 1, max: 2 }, undefined],
  ])('%s', (_, own, peer, chosen) => {
    expect(chooseVersion(own, peer)).toBe(chosen);
  });

  test('is the same whoever asks, and within both ranges', () => {
    const range = fc.tuple(fc.nat(9), fc.nat(9)).map(([min, more]) => ({ min, max: min + more }));
    fc.assert(
      fc.property(range, range, (a, b) => {
        const chosen = chooseVersion(a, b);
        expect(chosen).toBe(chooseVersion(b, a));
        if (chosen === undefined) expect(a.max < b.min || b.max < a.min).toBe(true);
        else expect(chosen >= Math.max(a.min, b.min) && chosen <= Math.min(a.max, b.max)).toBe(true);
      }),
    );
  });
});
