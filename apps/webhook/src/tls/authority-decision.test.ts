import { beforeAll, describe, expect, test } from '@jest/globals';
import { bundleOf, decideAuthority, LIFETIMES, leafIsDue, nextLook, signerOf } from './authority-decision.js';
import type { AuthorityRecord } from './authority-record.js';
import { createAuthority, createLeaf, type KeyPair } from './certificates.js';

const DAY = 24 * 3_600_000;
const start = new Date('2026-01-01T00:00:00Z');
const days = (count: number) => new Date(start.getTime() + count * DAY);

let first: KeyPair;
let second: KeyPair;
let leaf: KeyPair;

beforeAll(async () => {
  first = await createAuthority(start, LIFETIMES.authorityMs);
  second = await createAuthority(days(250), LIFETIMES.authorityMs);
  leaf = await createLeaf(first, ['webhook.kruise-system.svc'], start, LIFETIMES.leafMs);
});

const fresh = (): AuthorityRecord => ({ current: first, signsFrom: start, previous: undefined });
const announced = (): AuthorityRecord => ({ current: second, signsFrom: days(251), previous: first });

describe('the certificate authority', () => {
  test.each<[string, () => AuthorityRecord | undefined, Date, string]>([
    ['is made when there is none', () => undefined, start, 'create'],
    ['is kept while it is young', fresh, days(240), 'keep'],
    ['is renewed after two thirds of its life', fresh, days(250), 'announce'],
    ['is made anew at once when it has ended', fresh, days(366), 'create'],
    ['is not renewed again while the new one is announced', announced, days(250.5), 'keep'],
    ['is kept once the new one signs', announced, days(252), 'keep'],
  ])('%s', (_, record, now, action) => {
    expect(decideAuthority(record(), now).action).toBe(action);
  });

  test('is announced for ten minutes before it signs, beside the one before it', () => {
    expect(decideAuthority(fresh(), days(250))).toEqual({
      action: 'announce',
      signsFrom: new Date(days(250).getTime() + 600_000),
      previous: first,
    });
  });

  test('signs only when it was announced long enough', () => {
    expect(signerOf(announced(), days(250.5))).toBe(first);
    expect(signerOf(announced(), days(251))).toBe(second);
  });

  test('signs at once when the one before it has ended', () => {
    expect(signerOf({ ...announced(), signsFrom: days(400) }, days(370))).toBe(second);
  });

  test('is in the bundle with the one before it, as long as that lives', () => {
    const certificates = (now: Date) => bundleOf(announced(), now).match(/BEGIN CERTIFICATE/g)?.length;
    expect([certificates(days(251)), certificates(days(364)), certificates(days(366))]).toEqual([2, 2, 1]);
  });
});

describe('the serving certificate', () => {
  test.each<[string, () => { cert: string; signer: string } | undefined, () => KeyPair, Date, boolean]>([
    ['is due when there is none', () => undefined, () => first, start, true],
    ['is not due while it is young', () => ({ ...leaf, signer: first.cert }), () => first, days(4), false],
    ['is due after two thirds of its life', () => ({ ...leaf, signer: first.cert }), () => first, days(5), true],
    ['is due when another authority signs', () => ({ ...leaf, signer: first.cert }), () => second, days(1), true],
  ])('%s', (_, had, signer, now, due) => {
    expect(leafIsDue(had(), signer(), now)).toBe(due);
  });
});

describe('the next look', () => {
  test('is when the serving certificate is to be renewed', () => {
    const renewal = nextLook(fresh(), leaf, days(4.5));
    expect(renewal > days(4.5) && renewal < days(5)).toBe(true);
  });

  test('is when the new authority begins to sign', async () => {
    const young = await createLeaf(first, ['x'], days(250.5), LIFETIMES.leafMs);
    expect(nextLook(announced(), young, days(250.5))).toEqual(days(251));
  });

  test('is within a day', () => {
    expect(nextLook(fresh(), leaf, days(1))).toEqual(days(2));
  });

  test('is at once when the certificate grew old meanwhile, as after a suspended machine', () => {
    expect(nextLook(fresh(), leaf, days(20))).toEqual(days(20));
  });
});
