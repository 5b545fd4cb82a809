import { stringify } from 'yaml';

export interface KubeconfigUser {
  token?: string;
  'client-certificate-data'?: string;
  'client-key-data'?: string;
}

/** Text of a kubeconfig with one cluster, one user and one context. */
export function renderKubeconfig(name: string, cluster: Record<string, unknown>, user: KubeconfigUser): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  });
}

/** Clients refuse plain HTTP unless they are told that there is nothing to verify. */
export const kubeconfigFor = (server: string): string =>
  renderKubeconfig('kube-sim', { server, 'insecure-skip-tls-verify': true }, {});
