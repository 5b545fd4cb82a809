import type { ContainerSpec, EnvEntry, PodObject } from './pod-spec.js';

/** Thrown for a variable whose source a process-kubelet cannot read; the container then waits in CreateContainerConfigError. */
export class EnvSourceError extends Error {
  override readonly name = 'EnvSourceError';
}

/**
 * Replaces `$(NAME)` by the variable of that name; `$$` is one dollar sign, and what is not known stays as it is
 * (https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/).
 */
export function expandVariables(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^()$]*)\)/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$';
    return Object.hasOwn(variables, name) ? variables[name]! : whole;
  });
}

const KEYED_FIELD = /^metadata\.(annotations|labels)\['([^']+)'\]$/;

/** The value of a downward API field of the pod as it is now; a key that the pod does not have reads as the empty text. */
export function fieldValue(pod: PodObject, fieldPath: string, podIP: string, hostIP: string): string {
  const [, map, key] = KEYED_FIELD.exec(fieldPath) ?? [];
  if (map && key) return pod.metadata[map as 'annotations' | 'labels']?.[key] ?? '';
  const fields: Record<string, string | undefined> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'metadata.uid': pod.metadata.uid,
    'spec.nodeName': pod.spec.nodeName,
    'spec.serviceAccountName': pod.spec.serviceAccountName ?? 'default',
    'status.podIP': podIP,
    'status.podIPs': podIP,
    'status.hostIP': hostIP,
    'status.hostIPs': hostIP,
  };
  if (!Object.hasOwn(fields, fieldPath)) throw new EnvSourceError(`unsupported fieldPath: ${fieldPath}`);
  return fields[fieldPath] ?? '';
}

function resourceValue(
  pod: PodObject,
  own: ContainerSpec,
  source: { containerName?: string; resource: string },
): string {
  const container = pod.spec.containers.find((candidate) => candidate.name === source.containerName) ?? own;
  const [list, name] = source.resource.split('.') as ['limits' | 'requests', string];
  return String(container.resources?.[list]?.[name] ?? '0');
}

function entryValue(
  entry: EnvEntry,
  pod: PodObject,
  container: ContainerSpec,
  addresses: PodAddresses,
): string | undefined {
  const source = entry.valueFrom;
  if (!source) return undefined;
  if (source.fieldRef) return fieldValue(pod, source.fieldRef.fieldPath, addresses.podIP, addresses.hostIP);
  if (source.resourceFieldRef) return resourceValue(pod, container, source.resourceFieldRef);
  const [kind = 'nothing'] = Object.keys(source);
  throw new EnvSourceError(`variable ${entry.name}: valueFrom.${kind} is not supported here`);
}

export interface PodAddresses {
  podIP: string;
  hostIP: string;
}

/**
 * The variables that the pod gives a container at this start, in order: each `$(NAME)` sees those before it, and annotations are
 * read from the pod as it is now. The image's own variables are not visible to `$(NAME)`, as with a real kubelet, which expands
 * before it looks at the image. Throws `EnvSourceError`.
 */
export function containerVariables(
  pod: PodObject,
  container: ContainerSpec,
  addresses: PodAddresses,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const entry of container.env ?? []) {
    const fromSource = entryValue(entry, pod, container, addresses);
    variables[entry.name] = fromSource ?? expandVariables(entry.value ?? '', variables);
  }
  return variables;
}
