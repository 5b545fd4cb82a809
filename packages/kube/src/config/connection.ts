import type { Agent } from 'node:http';

/** Key material and switches of TLS, as `node:tls` takes them. */
export interface TlsMaterial {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  rejectUnauthorized?: boolean;
  servername?: string;
}

export interface Credentials {
  headers: Record<string, string>;
  tls: TlsMaterial;
  /** Set when the connection must go through a proxy. */
  agent?: Agent;
}

/** Where an API server is and how to be somebody there. */
export interface KubeConnection {
  /** Base address without a slash at the end; http and https. */
  server: string;
  /** The namespace that the kubeconfig or the service account names. */
  namespace?: string;
  /** Read again for every use by the client, which keeps them for a minute: tokens and certificates on disk are rotated. */
  credentials(): Promise<Credentials>;
}

/** A kubeconfig or service account that cannot be used. */
export class KubeConfigError extends Error {
  readonly code = 'KUBE_CONFIG_INVALID';
  readonly hint: string;
  readonly retry = 'never' as const;

  constructor(message: string, hint: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'KubeConfigError';
    this.hint = hint;
  }
}
