import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { KubeObject } from '@sidestep/kube';
import type { KeyPair } from './certificates.js';

/** The certificate authority that all replicas share, as its Secret holds it. */
export interface AuthorityRecord {
  current: KeyPair;
  /** Replicas sign with `current` from then on; until then every API server gets to know it. */
  signsFrom: Date;
  /** Whose leaves may still be in use. The certificate alone suffices to trust them; the key signs until `signsFrom`. */
  previous: KeyPair | undefined;
}

const DATA = {
  cert: 'ca.crt',
  key: 'ca.key',
  signsFrom: 'signs-from',
  previousCert: 'previous-ca.crt',
  previousKey: 'previous-ca.key',
} as const;

/** Reads the Secret; `undefined` when it holds nothing usable, which calls for a new authority. */
export function readRecord(secret: KubeObject | undefined): AuthorityRecord | undefined {
  const data = (secret?.data ?? {}) as Record<string, unknown>;
  const current = pairOf(text(data[DATA.cert]), text(data[DATA.key]));
  const signsFrom = new Date(text(data[DATA.signsFrom]));
  if (!current || Number.isNaN(signsFrom.getTime())) return undefined;
  return { current, signsFrom, previous: pairOf(text(data[DATA.previousCert]), text(data[DATA.previousKey])) };
}

/** The Secret's data for a record. */
export function recordData({ current, signsFrom, previous }: AuthorityRecord): Record<string, string> {
  const data: Record<string, string> = {
    [DATA.cert]: current.cert,
    [DATA.key]: current.key,
    [DATA.signsFrom]: signsFrom.toISOString(),
    ...(previous ? { [DATA.previousCert]: previous.cert, [DATA.previousKey]: previous.key } : {}),
  };
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
}

/** An authority of ours with the key that it signs with: whoever serves what another key signed is refused by every API server. */
function pairOf(cert: string, key: string): KeyPair | undefined {
  try {
    const certificate = new X509Certificate(cert);
    const secret = createPrivateKey(key);
    const isOurKind = secret.asymmetricKeyDetails?.namedCurve === 'prime256v1' && key.includes('BEGIN PRIVATE KEY');
    return certificate.ca && isOurKind && certificate.checkPrivateKey(secret) ? { cert, key } : undefined;
  } catch {
    return undefined;
  }
}

const text = (value: unknown): string =>
  typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : '';
