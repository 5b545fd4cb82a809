import {
  hotPairNames,
  isHotUpgrade,
  isNativeSidecar,
  type LabelSelector,
  matchesSelector,
  type PatchPodMetadata,
  type SidecarContainer,
  type SidecarSet,
} from '@sidestep/core';
import { differences } from '../compare.js';
import { errorsIn, isAccepted, isRefusedWrite, messageOf } from './answers.js';
import type { CaseFacts, OnPurpose } from './rule.js';

const CONFLICT =
  /: (?:container \S+ already exist in |(?:volume|annotation) \S+ is in conflict with sidecarset )(\S+)$/;
const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

export const exactSelectorOverlap: OnPurpose = {
  name: 'selectors overlap exactly',
  sentence: 'SidecarSets are in conflict only when some pod could match both; OpenKruise guesses from the keys.',
  adjust: ({ expected }, facts) => {
    const written = facts.writes.at(-1)?.posted;
    if (written === undefined || facts.writeInstead === undefined) return undefined;
    const others = facts.writes.slice(0, -1).map(({ posted }) => posted.metadata.name ?? '');
    const isAboutOthers = (error: string): boolean => others.includes(CONFLICT.exec(error)?.[1] ?? '');
    const refused = isRefusedWrite(expected) && errorsIn(expected.message).every(isAboutOthers);
    if (!refused && !isAccepted(expected)) return undefined;
    const conflicts = conflictsOf(written, facts, ownNames);
    if (conflicts.length > 0) return { status: 500, message: messageOf(conflicts) };
    return refused
      ? facts.writeInstead(
          written,
          others.filter((name) => name !== written.metadata.name),
        )
      : undefined;
  },
};

export const hotPairNamesAreTaken: OnPurpose = {
  name: 'names of hot pairs are checked',
  sentence:
    'A hot sidecar takes two names in the pod, and a clash with another container is refused; OpenKruise lets it pass.',
  adjust: ({ expected }, facts) => {
    const written = facts.writes.at(-1)?.posted;
    if (written === undefined || facts.writeInstead === undefined || !isAccepted(expected)) return undefined;
    const clashes = clashesWithin(written);
    const errors = clashes.length > 0 ? clashes : conflictsOf(written, facts, pairNames);
    return errors.length === 0 ? undefined : { status: 500, message: messageOf(errors) };
  },
};

type NamesOf = (container: SidecarContainer, list: List) => string[];
type List = 'containers' | 'initContainers';

const ownNames: NamesOf = ({ name }) => [name];

const pairNames: NamesOf = (container, list) => {
  const isPair = isHotUpgrade(container) && (list === 'containers' || isNativeSidecar(container));
  return isPair ? hotPairNames(container.name) : [container.name];
};

function clashesWithin({ spec }: SidecarSet): string[] {
  const all = (['containers', 'initContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).map((container, index) => ({
      at: `spec.${list}[${index}].name`,
      container,
      names: pairNames(container, list),
    })),
  );
  return all.flatMap(({ at, container, names }, index) => {
    const earlier = all.slice(0, index).filter((each) => each.container.name !== container.name);
    const taken = names.filter((name) => earlier.some((each) => each.names.includes(name)));
    return taken.map((name) => `${at}: Duplicate value: "${name}"`);
  });
}

/** What is wrong between a SidecarSet and those that OpenKruise holds, in the words of its messages. */
function conflictsOf(set: SidecarSet, { writes }: CaseFacts, namesOf: NamesOf): string[] {
  const taken = writes.slice(0, -1).filter(({ recorded }) => isAccepted(recorded));
  const held = new Map(taken.map(({ posted }) => [posted.metadata.name ?? '', posted]));
  held.delete(set.metadata.name ?? '');
  const others = [...held.values()]
    .filter((other) => couldMeet(set, other))
    .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  return [
    ...containerConflicts('initContainers', set, others, namesOf),
    ...containerConflicts('containers', set, others, namesOf),
    ...volumeConflicts(set, others),
    ...annotationConflicts(set, others),
  ];
}

function containerConflicts(list: List, set: SidecarSet, others: SidecarSet[], namesOf: NamesOf): string[] {
  return (set.spec[list] ?? []).flatMap((container) => {
    const names = namesOf(container, list);
    const clashes = (rival: SidecarContainer): boolean =>
      rival.name === container.name || namesOf(rival, list).some((name) => names.includes(name));
    const other = others.find(({ spec }) => spec[list]?.some(clashes));
    const detail = `container ${container.name} already exist in ${other?.metadata.name}`;
    return other === undefined ? [] : [`spec.containers: Invalid value: "${container.name}": ${detail}`];
  });
}

function volumeConflicts(set: SidecarSet, others: SidecarSet[]): string[] {
  return (set.spec.volumes ?? []).flatMap((volume) => {
    const other = others.find(({ spec }) =>
      spec.volumes?.some((rival) => rival.name === volume.name && differences(rival, volume).length > 0),
    );
    const detail = `volume ${volume.name} is in conflict with sidecarset ${other?.metadata.name}`;
    return other === undefined ? [] : [`spec.volumes: Invalid value: "${volume.name}": ${detail}`];
  });
}

function annotationConflicts(set: SidecarSet, others: SidecarSet[]): string[] {
  const changes = ({ spec }: SidecarSet): PatchPodMetadata[] =>
    (spec.patchPodMetadata ?? []).filter(({ patchPolicy }) => patchPolicy !== 'Retain' && patchPolicy !== undefined);
  return changes(set).flatMap(({ annotations = {}, patchPolicy }) =>
    Object.keys(annotations)
      .sort()
      .flatMap((key) => {
        const clashes = (rival: PatchPodMetadata): boolean =>
          key in (rival.annotations ?? {}) && [patchPolicy, rival.patchPolicy].includes('Overwrite');
        const other = others.find((each) => changes(each).some(clashes));
        const detail = `annotation ${key} is in conflict with sidecarset ${other?.metadata.name}`;
        return other === undefined ? [] : [`spec.patchPodMetadata: Invalid value: "${key}": ${detail}`];
      }),
  );
}

/** Whether there is a pod that both select: all labels that could tell are tried. */
function couldMeet(a: SidecarSet, b: SidecarSet): boolean {
  const pods = [a.spec.selector, b.spec.selector];
  const namespaces = [namespacesOf(a), namespacesOf(b)].map((selector) => selector ?? {});
  return isSatisfiable(pods, []) && isSatisfiable(namespaces, [NAMESPACE_NAME]);
}

function namespacesOf({ spec, apiVersion }: SidecarSet): LabelSelector | undefined {
  const { namespace, namespaceSelector } = spec as { namespace?: string } & SidecarSet['spec'];
  if (!namespace || apiVersion?.endsWith('v1beta1')) return namespaceSelector;
  return { matchLabels: { [NAMESPACE_NAME]: namespace } };
}

/** @param always labels that every object has */
function isSatisfiable(selectors: (LabelSelector | undefined)[], always: readonly string[]): boolean {
  const values = new Map<string, Set<string | undefined>>();
  const add = (key: string, held: readonly string[]): void => {
    const known = values.get(key) ?? new Set(always.includes(key) ? ['other'] : [undefined, 'other']);
    for (const value of held) known.add(value);
    values.set(key, known);
  };
  for (const selector of selectors) {
    for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) add(key, [value]);
    for (const { key, values: held = [] } of selector?.matchExpressions ?? []) add(key, held);
  }
  const isMatch = (labels: Record<string, string>): boolean =>
    selectors.every((selector) => matchesSelector(selector ?? {}, labels));
  return labellings([...values]).some(isMatch);
}

function labellings([first, ...rest]: [string, Set<string | undefined>][]): Record<string, string>[] {
  if (first === undefined) return [{}];
  const [key, values] = first;
  return labellings(rest).flatMap((labels) =>
    [...values].map((value) => (value === undefined ? labels : { ...labels, [key]: value })),
  );
}
