import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Credentials, KubeConfigError, type KubeConnection, type TlsMaterial } from './connection.js';
import { delegatedCredentials } from './delegated.js';
import { type PickedContext, readKubeconfig } from './kubeconfig-file.js';

/** https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const IN_CLUSTER_SERVER = 'https://kubernetes.default.svc';

export interface KubeConfigOptions {
  /** Path of a kubeconfig, or several joined by the path delimiter, as in the KUBECONFIG variable: some of those may be missing. */
  kubeconfig?: string | undefined;
  /** Home directory; its `.kube/config` is used when it exists and no kubeconfig is named. */
  home?: string | undefined;
  /** Instead of the kubeconfig's current context. */
  context?: string | undefined;
  /** Folder of the service account's files; for tests. */
  serviceAccountDir?: string;
  /** Address of the API server for a process in the cluster. */
  inClusterServer?: string;
}

/**
 * Finds the API server as kubectl does: the kubeconfig named, else the one in the home directory, else the service account
 * of the pod. Throws `KubeConfigError` when there is none or it cannot be read.
 */
export function loadKubeConfig(options: KubeConfigOptions = {}): KubeConnection {
  const file = options.kubeconfig || homeConfig(options.home);
  if (file) return fromContext(readKubeconfig(file, options.context));
  const dir = options.serviceAccountDir ?? SERVICE_ACCOUNT;
  if (existsSync(join(dir, 'token'))) return fromServiceAccount(dir, options.inClusterServer ?? IN_CLUSTER_SERVER);
  throw new KubeConfigError(
    'no API server is known: KUBECONFIG is not set and this is not a pod with a service account',
    'Set KUBECONFIG, or run in a cluster with automountServiceAccountToken.',
  );
}

function homeConfig(home: string | undefined): string | undefined {
  const file = home ? join(home, '.kube', 'config') : undefined;
  return file && existsSync(file) ? file : undefined;
}

function fromServiceAccount(dir: string, server: string): KubeConnection {
  const namespaceFile = join(dir, 'namespace');
  const namespace = existsSync(namespaceFile) ? readFileSync(namespaceFile, 'utf8').trim() : undefined;
  return {
    server,
    ...(namespace ? { namespace } : {}),
    credentials: async () => ({
      headers: { authorization: `Bearer ${(await readFile(join(dir, 'token'), 'utf8')).trim()}` },
      tls: { ca: await readFile(join(dir, 'ca.crt')) },
    }),
  };
}

function fromContext(picked: PickedContext): KubeConnection {
  const { cluster, user, namespace } = picked;
  const delegated = Boolean(user.exec || user['auth-provider'] || cluster['proxy-url']);
  return {
    server: cluster.server.replace(/\/+$/, ''),
    ...(namespace ? { namespace } : {}),
    credentials: delegated ? delegatedCredentials(picked) : () => staticCredentials(picked),
  };
}

async function staticCredentials({ cluster, user }: PickedContext): Promise<Credentials> {
  const ca = await content(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const cert = await content(user['client-certificate-data'], user['client-certificate']);
  const key = await content(user['client-key-data'], user['client-key']);
  const tls: TlsMaterial = {
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(cluster['insecure-skip-tls-verify'] ? { rejectUnauthorized: false } : {}),
    ...(cluster['tls-server-name'] ? { servername: cluster['tls-server-name'] } : {}),
  };
  return { headers: await authHeaders(user), tls };
}

async function authHeaders(user: PickedContext['user']): Promise<Record<string, string>> {
  const headers: Record<string, string> = {};
  const token = user.tokenFile ? (await readFile(user.tokenFile, 'utf8')).trim() : user.token;
  if (token) headers.authorization = `Bearer ${token}`;
  else if (user.username) {
    headers.authorization = `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
  }
  if (user.as) headers['impersonate-user'] = user.as;
  return headers;
}

async function content(data: string | undefined, file: string | undefined): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, 'base64');
  return file ? readFile(file) : undefined;
}
