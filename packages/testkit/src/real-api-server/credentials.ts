import { randomUUID } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type KubeconfigUser, renderKubeconfig } from '../kube-sim/kubeconfig.js';
import { CertificateAuthority, type CertificatePair, serviceAccountKeys } from './certificates.js';

const SERVER_NAMES = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Keys, certificates and kubeconfigs of one API server, in one private folder. */
export class Credentials {
  private constructor(
    readonly folder: string,
    readonly authority: CertificateAuthority,
  ) {}

  static async create(folder: string): Promise<Credentials> {
    const authority = await CertificateAuthority.create();
    const credentials = new Credentials(folder, authority);
    const server = await authority.server(SERVER_NAMES, ['127.0.0.1', '10.0.0.1']);
    const accounts = serviceAccountKeys();
    await credentials.write('ca.crt', authority.certificate);
    await credentials.write('server.crt', server.certificate);
    await credentials.write('server.key', server.key);
    await credentials.write('sa.pub', accounts.publicKey);
    await credentials.write('sa.key', accounts.privateKey);
    return credentials;
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  client(user: string, groups: readonly string[]): Promise<CertificatePair> {
    return this.authority.client(user, groups);
  }

  /** Writes the kubeconfig of a user with a certificate and returns its path. */
  kubeconfig(name: string, url: string, pair: CertificatePair): Promise<string> {
    return this.writeKubeconfig(name, url, {
      'client-certificate-data': base64(pair.certificate),
      'client-key-data': base64(pair.key),
    });
  }

  /** Writes the kubeconfig of whoever carries a token, as programs in pods do, and returns its path. */
  kubeconfigWithToken(name: string, url: string, token: string): Promise<string> {
    return this.writeKubeconfig(name, url, { token });
  }

  private writeKubeconfig(name: string, url: string, user: KubeconfigUser): Promise<string> {
    const cluster = { server: url, 'certificate-authority-data': base64(this.authority.certificate) };
    return this.write(`${name.replace(/[^\w.-]/g, '_')}.kubeconfig`, renderKubeconfig(name, cluster, user));
  }

  private async write(name: string, content: string): Promise<string> {
    // Written again for the same user while a program reads it: that program sees the one or the other, never a half.
    const unfinished = this.file(`${name}.${randomUUID()}`);
    await writeFile(unfinished, content, { mode: 0o600 });
    await rename(unfinished, this.file(name));
    return this.file(name);
  }
}
