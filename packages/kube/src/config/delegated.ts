import type { Agent, OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { Credentials, TlsMaterial } from './connection.js';
import type { PickedContext } from './kubeconfig-file.js';

/**
 * Credentials that a program or an identity provider gives out (exec, OIDC, cloud providers), and proxies: the official
 * client's own code. It is loaded only when such a kubeconfig asks for it, as it costs more than a second and 80 MB.
 */
export function delegatedCredentials(picked: PickedContext): () => Promise<Credentials> {
  let loading: Promise<{ applyToHTTPSOptions(options: RequestOptions): Promise<void> }> | undefined;
  return async () => {
    loading ??= official(picked);
    const options: RequestOptions = { headers: {} };
    await (await loading).applyToHTTPSOptions(options);
    return {
      headers: headersOf(options),
      tls: tlsOf(options),
      ...(picked.cluster['proxy-url'] ? { agent: options.agent as Agent } : {}),
    };
  };
}

async function official({ cluster, user }: PickedContext) {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const plainHttp = cluster.server.startsWith('http:');
  config.loadFromString(
    JSON.stringify({
      // The official client refuses plain http unless verification is off; there is nothing to verify then.
      clusters: [{ name: 'c', cluster: plainHttp ? { ...cluster, 'insecure-skip-tls-verify': true } : cluster }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
  return config;
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries((options.headers ?? {}) as OutgoingHttpHeaders)) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value);
  }
  if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return headers;
}

function tlsOf({ ca, cert, key, rejectUnauthorized, servername }: RequestOptions): TlsMaterial {
  return {
    ...(ca ? { ca: ca as Buffer } : {}),
    ...(cert ? { cert: cert as Buffer } : {}),
    ...(key ? { key: key as Buffer } : {}),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername ? { servername } : {}),
  };
}
