import 'reflect-metadata';
import { createPrivateKey, generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its key, both PEM. */
export interface CertificatePair {
  certificate: string;
  key: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const LIFETIME_MS = 7 * 24 * 3600 * 1000;
/** Clocks of two processes on one machine agree, but certificates have whole seconds. */
const BACKDATE_MS = 60_000;

type Keys = webcrypto.CryptoKeyPair;

const newKeys = (): Promise<Keys> => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']) as Promise<Keys>;

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'sec1' })
    .toString();
}

const validity = (): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(Date.now() - BACKDATE_MS),
  notAfter: new Date(Date.now() + LIFETIME_MS),
});

/** RFC 4514 escaping, because service accounts' names carry colons and users' may carry commas. */
const escaped = (value: string): string => value.replace(/[,+"\\<>;=#]/g, (character) => `\\${character}`);

/** A throw-away certificate authority for one API server. */
export class CertificateAuthority {
  private serial = 1;

  private constructor(
    private readonly keys: Keys,
    readonly certificate: string,
  ) {}

  static async create(): Promise<CertificateAuthority> {
    cryptoProvider.set(webcrypto);
    const keys = await newKeys();
    const root = await X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: 'CN=sidestep-testkit',
      ...validity(),
      signingAlgorithm: ALGORITHM,
      keys: keys,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    });
    return new CertificateAuthority(keys, root.toString('pem'));
  }

  /** For a server that is reached under these names and addresses. */
  server(names: readonly string[], addresses: readonly string[]): Promise<CertificatePair> {
    const alternatives = new SubjectAlternativeNameExtension([
      ...names.map((value) => ({ type: 'dns' as const, value })),
      ...addresses.map((value) => ({ type: 'ip' as const, value })),
    ]);
    return this.issue(`CN=${names[0] ?? addresses[0]}`, ExtendedKeyUsage.serverAuth, [alternatives]);
  }

  /** For a client: the API server reads the user from CN and the groups from O (kubernetes.io, "Authenticating"). */
  client(user: string, groups: readonly string[]): Promise<CertificatePair> {
    const subject = [...groups.map((group) => `O=${escaped(group)}`), `CN=${escaped(user)}`].join(',');
    return this.issue(subject, ExtendedKeyUsage.clientAuth, []);
  }

  private async issue(
    subject: string,
    usage: ExtendedKeyUsage,
    extra: SubjectAlternativeNameExtension[],
  ): Promise<CertificatePair> {
    const keys = await newKeys();
    this.serial += 1;
    const certificate = await X509CertificateGenerator.create({
      serialNumber: this.serial.toString(16).padStart(4, '0'),
      subject,
      issuer: 'CN=sidestep-testkit',
      ...validity(),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      extensions: [
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([usage]),
        ...extra,
      ],
    });
    return { certificate: certificate.toString('pem'), key: await keyPem(keys.privateKey) };
  }
}

/** The keys that service account tokens are signed with. */
export function serviceAccountKeys(): { publicKey: string; privateKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = (key: KeyObject, type: 'spki' | 'sec1'): string =>
    key.export({ format: 'pem', type } as never).toString();
  return { publicKey: pem(publicKey, 'spki'), privateKey: pem(privateKey, 'sec1') };
}
