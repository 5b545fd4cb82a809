import type { Container, Pod } from '@sidestep/core';
import { isObject } from '../compare.js';
import { normalisedPod } from '../normalise.js';
import type { OnPurpose } from './rule.js';

interface PodAnswer {
  allowed: true;
  patched: { spec: Record<string, unknown> & { containers: Container[]; initContainers?: Container[] } };
}

function isPod(answer: unknown): answer is PodAnswer {
  return isObject(answer) && isObject(answer.patched) && isObject(answer.patched.spec);
}

const MARKER = 'IS_INJECTED';

const isSidecar = ({ env }: Container): boolean => env?.some(({ name }) => name === MARKER) === true;

export const markedOnce: OnPurpose = {
  name: 'IS_INJECTED is not repeated',
  sentence: 'A sidecar with an env IS_INJECTED of its own gets the marker once; OpenKruise lists it twice.',
  adjust: ({ expected }) => (isPod(expected) ? withContainers(expected, withOneMarker) : undefined),
};

function withContainers(answer: PodAnswer, change: (container: Container) => Container): PodAnswer {
  const { spec } = answer.patched;
  const changed = { ...spec, containers: spec.containers.map(change) };
  if (spec.initContainers !== undefined) changed.initContainers = spec.initContainers.map(change);
  return { ...answer, patched: { ...answer.patched, spec: changed } };
}

function withOneMarker(container: Container): Container {
  const last = container.env?.findLastIndex(({ name }) => name === MARKER);
  if (container.env === undefined || last === undefined) return container;
  return { ...container, env: container.env.filter(({ name }, index) => name !== MARKER || index === last) };
}

export const setsByName: OnPurpose = {
  name: 'SidecarSets apply in the order of their names',
  sentence: 'Several SidecarSets on one pod are injected sorted by name; in OpenKruise their order is random.',
  adjust: ({ expected, actual }, { sidecarSets }) => {
    if (sidecarSets.length < 2 || !isPod(expected) || !isPod(actual)) return undefined;
    const spec = { ...expected.patched.spec };
    for (const list of ['containers', 'initContainers', 'volumes', 'imagePullSecrets']) {
      spec[list] = reordered(spec[list], actual.patched.spec[list]);
    }
    return { ...expected, patched: { ...expected.patched, spec: JSON.parse(JSON.stringify(spec)) } };
  },
};

/** The same elements in our order, if the pod's own ones keep theirs and every sidecar its side of them. */
function reordered(expected: unknown, actual: unknown): unknown {
  if (!Array.isArray(expected) || !Array.isArray(actual)) return expected;
  const key = (list: unknown[]): string => outline(list as Container[]).join();
  if (expected.length !== actual.length || key(expected) !== key(actual)) return expected;
  const left = [...(expected as Container[])];
  const ordered = (actual as Container[]).map(({ name }) => left.find((element) => element.name === name));
  return ordered.includes(undefined) ? expected : ordered;
}

/** Names of what is the pod's own, in order, with the sorted names of the sidecars that stand between. */
function outline(list: Container[]): string[] {
  const parts: string[][] = [[]];
  for (const element of list) {
    if (isSidecar(element)) parts.at(-1)?.push(element.name);
    else parts.push([`own:${element.name}`], []);
  }
  return parts.flatMap((part) => part.sort());
}

export const podFieldsSurvive: OnPurpose = {
  name: 'fields of the pod that a client does not know survive',
  sentence:
    'Patches insert whole new elements and never re-encode or move what they do not own; OpenKruise drops such fields.',
  adjust: ({ expected, actual }, { admission, isDirect }) => {
    if (admission === undefined || !isPod(actual)) return undefined;
    const own = (normalisedPod(admission.request.object) as Pod).spec.containers;
    // The API server refused what OpenKruise had made of it; that no field is lost is compared on its own.
    if (!isPod(expected)) return isDirect ? actual : undefined;
    return withContainers(expected, (container) => {
      const whole = own.find(({ name }) => name === container.name);
      if (whole === undefined) return withoutStray(container, own);
      return isPartOf(container, whole) ? whole : container;
    });
  },
};

/** Nothing but fields are missing. */
function isPartOf(part: unknown, whole: unknown): boolean {
  if (Array.isArray(part) && Array.isArray(whole)) {
    return part.length === whole.length && part.every((element, index) => isPartOf(element, whole[index]));
  }
  if (isObject(part) && isObject(whole)) return Object.entries(part).every(([key, held]) => isPartOf(held, whole[key]));
  return part === whole;
}

/** OpenKruise's index-based patch leaves fields of an app container on the sidecar that takes its place in the list. */
function withoutStray(container: Container, own: Container[]): Container {
  const stray = own.flatMap((each) => Object.entries(each));
  const isStray = (key: string, value: unknown): boolean =>
    !COMMON.has(key) && stray.some(([name, held]) => name === key && JSON.stringify(held) === JSON.stringify(value));
  return Object.fromEntries(Object.entries(container).filter(([key, value]) => !isStray(key, value))) as Container;
}
const COMMON = new Set([
  'name',
  'image',
  'env',
  'resources',
  'imagePullPolicy',
  'terminationMessagePath',
  'terminationMessagePolicy',
]);

export const partialIsStable: OnPurpose = {
  name: 'policy Partial is stable per pod',
  sentence:
    'Which pods get the pinned revision follows from the pod and the SidecarSet; OpenKruise throws dice for each request.',
  adjust: ({ expected, actual }, { sidecarSets }) => {
    const dice = sidecarSets.some(({ spec }) => {
      return (
        spec.injectionStrategy?.revision?.policy === 'Partial' && typeof spec.updateStrategy?.partition === 'string'
      );
    });
    return dice && isPod(expected) && isPod(actual) ? actual : undefined;
  },
};
