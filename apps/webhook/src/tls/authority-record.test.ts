import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { KubeObject } from '@sidestep/kube';
import { readRecord, recordData } from './authority-record.js';
import { createAuthority, createLeaf, type KeyPair } from './certificates.js';

const start = new Date('2026-01-01T00:00:00Z');
const YEAR_MS = 365 * 24 * 3_600_000;

let ours: KeyPair;
let other: KeyPair;
let leaf: KeyPair;

beforeAll(async () => {
  ours = await createAuthority(start, YEAR_MS);
  other = await createAuthority(start, YEAR_MS);
  leaf = await createLeaf(ours, ['webhook.kruise-system.svc'], start, YEAR_MS);
});

const secretOf = (current: KeyPair, previous?: KeyPair): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'webhook-tls' },
  data: recordData({ current, signsFrom: start, previous }),
});

const traditional = (key: string): string => createPrivateKey(key).export({ type: 'sec1', format: 'pem' }).toString();

const rsa = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

describe('the Secret of the certificate authority', () => {
  test('is read as it was written', () => {
    expect(readRecord(secretOf(ours, other))).toEqual({ current: ours, signsFrom: start, previous: other });
  });

  test.each<[string, () => KeyPair]>([
    ['the key of another authority', () => ({ ...ours, key: other.key })],
    ['a key of another kind', () => ({ ...ours, key: rsa() })],
    ['a key in a form that we cannot sign with', () => ({ ...ours, key: traditional(ours.key) })],
    ['half a key', () => ({ ...ours, key: `${ours.key.slice(0, 60)}\n-----END PRIVATE KEY-----\n` })],
    ['no key', () => ({ ...ours, key: '' })],
    ['a certificate that is no authority', () => leaf],
    ['text that is no certificate', () => ({ ...ours, cert: 'nothing' })],
  ])('calls for a new authority when it holds %s', (_, pair) => {
    expect(readRecord(secretOf(pair()))).toBeUndefined();
  });

  test('is good without a former authority that can be used', () => {
    expect(readRecord(secretOf(ours, { ...other, key: ours.key }))?.previous).toBeUndefined();
  });
});
