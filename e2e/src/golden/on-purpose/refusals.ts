import {
  hotPairNames,
  isHotUpgrade,
  type LabelSelector,
  namespaceSelectorsOverlap,
  type SidecarSet,
  selectorsOverlap,
} from '@sidestep/core';
import { isObject } from '../compare.js';
import type { CaseFacts, OnPurpose } from './rule.js';

export const refusalIsInvalid: OnPurpose = {
  name: 'refusals are 422',
  sentence:
    'What a user can correct is refused with 422 and the same message; OpenKruise calls it an internal error (500).',
  adjust: ({ expected, actual }) => {
    if (!isObject(expected) || !isObject(actual)) return undefined;
    if (expected.status === 500 && actual.status === 422 && 'message' in expected) return { ...expected, status: 422 };
    if (!isObject(expected.status) || !isObject(actual.status)) return undefined;
    if (expected.status.code !== 500 || actual.status.code !== 422) return undefined;
    return { ...expected, status: { ...expected.status, code: 422 } };
  },
};

export const exactSelectorOverlap: OnPurpose = {
  name: 'selectors overlap exactly',
  sentence: 'SidecarSets are in conflict only when some pod could match both; OpenKruise guesses from the keys.',
  adjust: ({ expected, actual }, facts) => {
    const refusedThere = isConflict(expected) && isObject(actual) && 'stored' in actual;
    const refusedHere = isConflict(actual) && isObject(expected) && 'stored' in expected;
    if (!refusedThere && !refusedHere) return undefined;
    return overlapsSomewhere(facts) === refusedHere ? actual : undefined;
  },
};

const CONFLICT = /already exist in |is in conflict with sidecarset /;

function isConflict(answer: unknown): boolean {
  return isObject(answer) && typeof answer.message === 'string' && CONFLICT.test(answer.message);
}

function overlapsSomewhere({ sidecarSets }: CaseFacts): boolean {
  const pairs = sidecarSets.flatMap((a, index) => sidecarSets.slice(index + 1).map((b) => [a, b] as const));
  return pairs.some(([a, b]) => overlap(a, b));
}

function overlap(a: SidecarSet, b: SidecarSet): boolean {
  return selectorsOverlap(a.spec.selector, b.spec.selector) && namespaceSelectorsOverlap(namespaces(a), namespaces(b));
}

function namespaces({ spec }: SidecarSet): LabelSelector | undefined {
  const namespace = spec.namespace;
  if (typeof namespace !== 'string' || namespace === '') return spec.namespaceSelector;
  return { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
}

export const hotPairNamesAreTaken: OnPurpose = {
  name: 'names of hot pairs are checked',
  sentence:
    'A hot sidecar takes two names in the pod, and a clash with another container is refused; OpenKruise lets it pass.',
  adjust: ({ expected, actual }, { sidecarSets }) => {
    if (!isObject(actual) || typeof actual.message !== 'string') return undefined;
    if (!isObject(expected) || !('stored' in expected)) return undefined;
    const clash = /Duplicate value: "([^"]+)"|container (\S+) already exist in /.exec(actual.message);
    const name = clash?.[1] ?? clash?.[2];
    const pairs = sidecarSets.flatMap(({ spec }) => (spec.containers ?? []).filter(isHotUpgrade).flatMap(namesOf));
    return name !== undefined && pairs.includes(name) ? actual : undefined;
  },
};

const namesOf = ({ name }: { name: string }): string[] => [name, ...hotPairNames(name)];

export const foreignRevision: OnPurpose = {
  name: 'revisions of other SidecarSets are refused',
  sentence: 'A ControllerRevision named in injectionStrategy must be of this SidecarSet; OpenKruise injects any.',
  adjust: ({ expected, actual }, { sidecarSets }) => {
    if (!isObject(actual) || !isObject(expected)) return undefined;
    const isAcceptedThere = 'stored' in expected || 'patched' in expected;
    const text = JSON.stringify(actual);
    const isRefusedHere = /does not belong to SidecarSet|Cannot find specific ControllerRevision/.test(text);
    return isAcceptedThere && isRefusedHere && sidecarSets.length > 1 ? actual : undefined;
  },
};
