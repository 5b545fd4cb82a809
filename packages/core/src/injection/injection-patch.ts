import type { Container, JsonPatch, Pod, Volume } from '../api/kubernetes.js';
import { pointerToken } from './apply-json-patch.js';
import type { Placement } from './place-containers.js';

/** What is to be added to a pod. */
export interface PodAdditions {
  /** All annotations as they shall be; those that are already so are left alone. */
  annotations: Record<string, string>;
  initContainers: Placement;
  containers: Placement;
  volumes: Volume[];
  imagePullSecrets: { name?: string }[];
}

/**
 * The JSON Patch of an injection. It inserts whole new elements and replaces containers as a whole; what the pod has of its own
 * is neither moved nor encoded again, so fields that this version does not know survive.
 */
export function injectionPatch(pod: Pod, additions: PodAdditions): JsonPatch {
  return [
    ...annotationPatch(pod, additions.annotations),
    ...containerPatch('/spec/initContainers', pod.spec.initContainers, additions.initContainers),
    ...containerPatch('/spec/containers', pod.spec.containers, additions.containers),
    ...appendPatch('/spec/volumes', pod.spec.volumes, additions.volumes),
    ...repeatedPatch('/spec/imagePullSecrets', pod.spec.imagePullSecrets),
    ...appendPatch('/spec/imagePullSecrets', pod.spec.imagePullSecrets, additions.imagePullSecrets),
  ];
}

/** The patch of annotations alone. */
export function annotationPatch(pod: Pod, annotations: Record<string, string>): JsonPatch {
  const before = pod.metadata.annotations;
  const changed = Object.entries(annotations).filter(([key, value]) => before?.[key] !== value);
  if (changed.length === 0) return [];
  if (!before) return [{ op: 'add', path: '/metadata/annotations', value: Object.fromEntries(changed) }];
  return changed.map(([key, value]) => ({ op: 'add', path: `/metadata/annotations/${pointerToken(key)}`, value }));
}

function containerPatch(path: string, existing: Container[] | undefined, placement: Placement): JsonPatch {
  const { replaced, before, after } = placement;
  if (!existing) return appendPatch(path, existing, [...before, ...after]);
  return [
    ...[...replaced].map(([index, value]) => ({ op: 'replace' as const, path: `${path}/${index}`, value })),
    ...before.map((value, index) => ({ op: 'add' as const, path: `${path}/${index}`, value })),
    ...appendPatch(path, existing, after),
  ];
}

/** Takes out what the pod names a second time: OpenKruise gives back each pull secret once. */
function repeatedPatch(path: string, existing: readonly { name?: string }[] | undefined): JsonPatch {
  const names = (existing ?? []).map(({ name = '' }) => name);
  return names
    .flatMap(
      (name, index): JsonPatch => (names.indexOf(name) < index ? [{ op: 'remove', path: `${path}/${index}` }] : []),
    )
    .reverse();
}

function appendPatch(path: string, existing: unknown[] | undefined, added: unknown[]): JsonPatch {
  if (added.length === 0) return [];
  if (!existing) return [{ op: 'add', path, value: added }];
  return added.map((value) => ({ op: 'add', path: `${path}/-`, value }));
}
