import { HttpKubeApi, loadKubeConfig } from '@sidestep/kube';
import { type Command, Option } from 'commander';
import type { Surroundings } from '../surroundings.js';
import { ClusterReader } from './cluster-reader.js';

/** The options of kubectl that every command takes which asks a cluster. */
export interface ClusterOptions {
  kubeconfig?: string;
  context?: string;
  namespace?: string;
  allNamespaces?: boolean;
}

export function withClusterOptions(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'instead of KUBECONFIG and ~/.kube/config')
    .option('--context <name>', "instead of the kubeconfig's current context")
    .option('-n, --namespace <name>', 'only pods of this namespace')
    .addOption(new Option('-A, --all-namespaces', 'pods of every namespace').conflicts('namespace'));
}

/** A cluster for the time of one command. */
export interface Connected {
  cluster: ClusterReader;
  /** The namespace that the kubeconfig's context names. */
  contextNamespace: string;
}

/** Runs a command against the cluster that the options and the environment name, and closes every connection after it. */
export async function withCluster<T>(
  options: ClusterOptions,
  { config }: Pick<Surroundings, 'config'>,
  use: (connected: Connected) => Promise<T>,
): Promise<T> {
  const connection = loadKubeConfig({
    kubeconfig: options.kubeconfig ?? config.kubeconfig,
    home: config.home,
    context: options.context,
  });
  const api = new HttpKubeApi({ connection, userAgent: 'kubectl-sidestep' });
  try {
    return await use({
      cluster: new ClusterReader(api, config.systemNamespace),
      contextNamespace: connection.namespace ?? 'default',
    });
  } finally {
    api.close();
  }
}
