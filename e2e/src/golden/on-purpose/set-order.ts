import {
  type Container,
  type OpenObject,
  type PatchPodMetadata,
  type Pod,
  patchPodAnnotations,
  type SidecarSet,
} from '@sidestep/core';
import { type AdmittedPod, containersOf, isAdmitted, namesInPod, setsIn, withSpec } from './answers.js';
import type { OnPurpose } from './rule.js';

/** More SidecarSets than this on one annotation are not told apart by trying their orders. */
const MAX_PERMUTED = 6;

export const setsByName: OnPurpose = {
  name: 'SidecarSets apply in the order of their names',
  sentence: 'Several SidecarSets on one pod are injected sorted by name; in OpenKruise their order is random.',
  adjust: ({ expected }, facts) => {
    if (!isAdmitted(expected) || facts.pod === undefined) return undefined;
    const sets = setsIn(expected.patched, facts).map(({ posted, recorded }) => recorded.stored?.v1beta1 ?? posted);
    if (sets.length < 2) return undefined;
    const { request } = facts.pod;
    return withAnnotations(withLists(expected, request, sets), request, sets);
  },
};

type Named = OpenObject & { name?: string };

/** Init containers are not in it: OpenKruise sorts them by their own names, whatever their set. */
function withLists(answer: AdmittedPod, request: Pod, sets: readonly SidecarSet[]): AdmittedPod {
  const { containers, volumes, imagePullSecrets } = answer.patched.spec;
  const owner = (name: string): number =>
    sets.findIndex((set) => containersOf(set).some((each) => namesInPod(each).includes(name)));
  const secrets = sets.flatMap(({ spec }) => (spec.imagePullSecrets ?? []).map(({ name }) => name));
  const mounted = sets.flatMap(volumesOf);
  return withSpec(answer, {
    containers: sortedAround(containers, request.spec.containers, owner) as Container[],
    ...(volumes ? { volumes: sortedAround(volumes, request.spec.volumes, (name) => mounted.indexOf(name)) } : {}),
    ...(imagePullSecrets
      ? {
          imagePullSecrets: sortedAround(imagePullSecrets, request.spec.imagePullSecrets, (name) =>
            secrets.indexOf(name),
          ),
        }
      : {}),
  } as Partial<Pod['spec']>);
}

/** The volumes that a set brings, in the order in which its containers mount them. */
function volumesOf(set: SidecarSet): string[] {
  const known = new Set((set.spec.volumes ?? []).map(({ name }) => name));
  const used = containersOf(set).flatMap(({ volumeMounts = [], volumeDevices = [] }) => [
    ...volumeMounts,
    ...volumeDevices,
  ]);
  return used.map(({ name }) => name).filter((name) => known.has(name));
}

/** What stands before the pod's own elements and what stands after them, each sorted; none of an unknown place may be there. */
function sortedAround(list: readonly Named[], own: unknown, place: (name: string) => number): readonly Named[] {
  const names = new Set(((own as Named[] | undefined) ?? []).map(({ name }) => name));
  const isOwn = ({ name }: Named): boolean =>
    names.has(name?.replace(/^(kube-api-access)-X{5}$/, '$1')) || names.has(name);
  const added = list.filter((element) => !isOwn(element) && !isToken(element));
  if (added.some(({ name = '' }) => place(name) < 0)) return list;
  const first = list.findIndex((element) => isOwn(element) || isToken(element));
  const last = list.findLastIndex((element) => isOwn(element) || isToken(element));
  const sorted = (part: readonly Named[]): Named[] =>
    [...part].sort((a, b) => place(a.name ?? '') - place(b.name ?? ''));
  if (first < 0) return sorted(list);
  return [...sorted(list.slice(0, first)), ...list.slice(first, last + 1), ...sorted(list.slice(last + 1))];
}

/** The volume with the token is the pod's own; its name was made comparable. */
const isToken = ({ name }: Named): boolean => name === 'kube-api-access-XXXXX';

/** Annotations that several sets patch, as the last of them leaves it. */
function withAnnotations(answer: AdmittedPod, request: Pod, sets: readonly SidecarSet[]): AdmittedPod {
  const annotations = { ...answer.patched.metadata.annotations };
  for (const key of Object.keys(annotations)) {
    const patching = sets.filter(({ spec }) =>
      spec.patchPodMetadata?.some((patch) => key in (patch.annotations ?? {})),
    );
    if (patching.length < 2 || patching.length > MAX_PERMUTED) continue;
    const before = request.metadata.annotations?.[key];
    const results = permutations(patching).map((order) => patched(key, before, order));
    // Sorted as they are, the sets come first among their orders.
    if (results.includes(annotations[key]) && results[0] !== undefined) annotations[key] = results[0];
  }
  return { ...answer, patched: { ...answer.patched, metadata: { ...answer.patched.metadata, annotations } } };
}

function patched(key: string, before: string | undefined, sets: readonly SidecarSet[]): string | undefined {
  const annotations: Record<string, string> = before === undefined ? {} : { [key]: before };
  const patches = sets.flatMap(({ spec }): PatchPodMetadata[] => spec.patchPodMetadata ?? []);
  patchPodAnnotations(
    annotations,
    patches.flatMap((patch) => {
      const value = patch.annotations?.[key];
      return value === undefined ? [] : [{ ...patch, annotations: { [key]: value } }];
    }),
  );
  return annotations[key];
}

function permutations<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]];
  return list.flatMap((first, index) => permutations(list.toSpliced(index, 1)).map((rest) => [first, ...rest]));
}
