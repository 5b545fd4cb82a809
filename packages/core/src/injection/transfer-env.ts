import type { EnvVar, Pod } from '../api/kubernetes.js';
import type { TransferEnvVar } from '../api/sidecarset.js';

/** Where a transferred env comes from: a container by name, or by the name that a label or annotation of the pod holds. */
export interface CompiledTransfer {
  source: { container: string } | { map: 'labels' | 'annotations'; key: string } | 'nowhere';
  /** Sorted, without repetitions. */
  envNames: string[];
}

const FIELD_PATH = /^metadata\.(labels|annotations)\['([\s\S]*)'\]$/;

/** Prepares one entry of `transferEnv`; an unusable field path transfers nothing. */
export function compileTransfer(transfer: TransferEnvVar): CompiledTransfer {
  const envNames = [...new Set([transfer.envName ?? '', ...(transfer.envNames ?? [])])].filter(Boolean).sort();
  const fieldRef = transfer.sourceContainerNameFrom?.fieldRef;
  if (!fieldRef) return { source: { container: transfer.sourceContainerName ?? '' }, envNames };
  const match = FIELD_PATH.exec(fieldRef.fieldPath ?? '');
  if (match === null) return { source: 'nowhere', envNames };
  return { source: { map: match[1] as 'labels' | 'annotations', key: match[2] ?? '' }, envNames };
}

/**
 * The app containers' envs that a sidecar asks for; one that does not exist is left out. Names are not made unique here: the
 * sidecar's own env decides who wins.
 */
export function transferredEnv(transfers: readonly CompiledTransfer[], pod: Pod): EnvVar[] {
  return transfers.flatMap(({ source, envNames }) => {
    const name = sourceName(source, pod);
    const env = pod.spec.containers.find((container) => container.name === name)?.env ?? [];
    return envNames.flatMap((wanted) => env.findLast((variable) => variable.name === wanted) ?? []);
  });
}

function sourceName(source: CompiledTransfer['source'], pod: Pod): string | undefined {
  if (source === 'nowhere') return undefined;
  if ('container' in source) return source.container;
  const map = pod.metadata[source.map];
  return map && Object.hasOwn(map, source.key) ? map[source.key] : undefined;
}
