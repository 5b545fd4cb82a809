import { createPrivateKey, X509Certificate } from 'node:crypto';

/** A certificate with its key, and what a caller must trust to accept it. */
export interface ServingCertificate {
  /** PEM, the leaf first. */
  cert: string;
  /** PEM. */
  key: string;
  notAfter: Date;
  /** PEM of every certificate authority whose leaves may be in use; undefined when somebody else tells the callers. */
  caBundle: string | undefined;
}

/** Where the serving certificate comes from. */
export interface TlsSource {
  /** Begins, and resolves with the first certificate. */
  start(): Promise<ServingCertificate>;
  /** Called with every later one. */
  onChange(listener: (certificate: ServingCertificate) => void): void;
  stop(): Promise<void>;
}

/** Reads a pair and checks that it belongs together. Throws with a sentence when it does not. */
export function readPair(cert: string, key: string, caBundle: string | undefined): ServingCertificate {
  const leaf = new X509Certificate(cert);
  if (!leaf.checkPrivateKey(createPrivateKey(key))) throw new Error('the key does not belong to the certificate');
  return { cert, key, notAfter: new Date(leaf.validTo), caBundle };
}
