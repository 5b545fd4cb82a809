import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { KubeConfigError } from './connection.js';

/** https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
export interface ClusterEntry {
  server?: string;
  'certificate-authority'?: string;
  'certificate-authority-data'?: string;
  'insecure-skip-tls-verify'?: boolean;
  'tls-server-name'?: string;
  'proxy-url'?: string;
}

export interface UserEntry {
  token?: string;
  tokenFile?: string;
  'client-certificate'?: string;
  'client-certificate-data'?: string;
  'client-key'?: string;
  'client-key-data'?: string;
  username?: string;
  password?: string;
  as?: string;
  'as-groups'?: string[];
  exec?: object;
  'auth-provider'?: object;
}

/** The one cluster and user that a context picks; file names in them are absolute. */
export interface PickedContext {
  cluster: ClusterEntry & { server: string };
  user: UserEntry;
  namespace?: string;
}

interface KubeConfigFile {
  'current-context'?: string;
  contexts: Map<string, { cluster?: string; user?: string; namespace?: string }>;
  clusters: Map<string, ClusterEntry>;
  users: Map<string, UserEntry>;
}

const FILE_KEYS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'] as const;

/**
 * Reads one kubeconfig, or several joined by the path delimiter: as in kubectl, whoever says something first is right, and those of
 * several that do not exist say nothing.
 */
export function readKubeconfig(files: string, context: string | undefined): PickedContext {
  const merged: KubeConfigFile = { contexts: new Map(), clusters: new Map(), users: new Map() };
  const named = files.split(delimiter).filter(Boolean);
  const there = named.length > 1 ? named.filter((file) => existsSync(file)) : named;
  if (there.length === 0) {
    throw new KubeConfigError(`none of the kubeconfigs ${files} is there`, 'Check KUBECONFIG.');
  }
  for (const file of there) mergeFile(merged, readYaml(file), file);
  return pick(merged, context ?? merged['current-context'], files);
}

function mergeFile(merged: KubeConfigFile, raw: Record<string, unknown>, file: string): void {
  const current = raw['current-context'];
  if (!merged['current-context'] && typeof current === 'string' && current !== '') merged['current-context'] = current;
  for (const [list, key, into] of [
    ['contexts', 'context', merged.contexts],
    ['clusters', 'cluster', merged.clusters],
    ['users', 'user', merged.users],
  ] as const) {
    const entries = Array.isArray(raw[list]) ? (raw[list] as Record<string, unknown>[]) : [];
    for (const entry of entries) {
      const name = entry?.name;
      if (typeof name !== 'string' || into.has(name)) continue;
      into.set(name, withAbsolutePaths((entry[key] ?? {}) as Record<string, unknown>, dirname(file)));
    }
  }
}

function readYaml(file: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KubeConfigError(`cannot read the kubeconfig ${file}: ${why}`, 'Check KUBECONFIG.', cause);
  }
  if (typeof content !== 'object' || content === null) {
    throw new KubeConfigError(`the kubeconfig ${file} is empty`, 'Check KUBECONFIG.');
  }
  return content as Record<string, unknown>;
}

function withAbsolutePaths(entry: Record<string, unknown>, folder: string): Record<string, unknown> {
  const absolute: Record<string, unknown> = { ...entry };
  for (const key of FILE_KEYS) {
    const path = absolute[key];
    if (typeof path === 'string' && path !== '') absolute[key] = resolve(folder, path);
  }
  return absolute;
}

function pick(config: KubeConfigFile, name: string | undefined, files: string): PickedContext {
  const context = config.contexts.get(name ?? '');
  if (!context) {
    const known = [...config.contexts.keys()].join(', ') || 'none';
    throw new KubeConfigError(`the kubeconfig ${files} has no context "${name ?? ''}"`, `Contexts in it: ${known}.`);
  }
  const cluster = config.clusters.get(context.cluster ?? '');
  if (!cluster?.server) {
    throw new KubeConfigError(
      `context "${name}" names the cluster "${context.cluster ?? ''}", which has no server`,
      `Clusters in it: ${[...config.clusters.keys()].join(', ') || 'none'}.`,
    );
  }
  return {
    cluster: { ...cluster, server: cluster.server },
    user: config.users.get(context.user ?? '') ?? {},
    ...(context.namespace ? { namespace: context.namespace } : {}),
  };
}
