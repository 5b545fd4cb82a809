import {
  decideRevisions,
  defaultSidecarSet,
  type SidecarContainer,
  type SidecarSet,
  sidecarSetHash,
  sidecarSetHashWithoutImage,
} from '@sidestep/core';
import { differences, isObject, mapStrings } from '../compare.js';
import type { OnPurpose } from './rule.js';

const NAME = 'startupProbe has defaults';

export const startupProbeDefaults: OnPurpose = {
  name: NAME,
  sentence:
    'startupProbe is defaulted like the other probes; OpenKruise demands that every field of it is spelled out.',
  adjust: ({ expected, actual }, facts) => {
    if (!isObject(expected) || !facts.sidecarSets.some(hasStartupProbe)) return undefined;
    if (isRefusedForIt(expected)) return actual;
    if ('stored' in expected) return withDefaults(expected as unknown as AcceptedWrite);
    // The pod of a SidecarSet that OpenKruise did not take, or that has another hash than there.
    return isPodOf(expected, actual) && facts.earlier.has(NAME) ? likeActualSidecars(expected, actual) : undefined;
  },
};

interface AcceptedWrite {
  stored: { v1beta1: SidecarSet; v1alpha1: SidecarSet };
  controllerRevisions: unknown[];
}

const containersOf = ({ spec }: SidecarSet): SidecarContainer[] => [
  ...(spec.containers ?? []),
  ...(spec.initContainers ?? []),
];

const hasStartupProbe = (set: SidecarSet): boolean =>
  containersOf(set).some(({ startupProbe }) => startupProbe !== undefined);

function isRefusedForIt(expected: Record<string, unknown>): boolean {
  if (typeof expected.message !== 'string') return false;
  const errors = expected.message.replace(/^\[|\]$/g, '').split(/, (?=spec\.)/);
  return errors.every((error) => /^spec\.\w+\[\d+\]\.startupProbe\./.test(error));
}

/** The recorded answer as it were with the defaults spelled out: probes, and whatever follows from them. */
function withDefaults(expected: AcceptedWrite): unknown {
  const before = expected.stored.v1beta1;
  const after = defaultSidecarSet(before);
  const renamed = new Map([
    [sidecarSetHash(before), sidecarSetHash(after)],
    [sidecarSetHashWithoutImage(before), sidecarSetHashWithoutImage(after)],
    [revisionHash(before), revisionHash(after)],
  ]);
  const rename = (text: string): string => [...renamed].reduce((held, [from, to]) => held.replaceAll(from, to), text);
  return withProbes(mapStrings(expected, rename), after);
}

function revisionHash(set: SidecarSet): string {
  const decision = decideRevisions({ set, existing: [], inUse: new Set(), namespace: '' });
  return decision.latest.metadata.labels?.['controller.kubernetes.io/hash'] ?? '';
}

/** Puts the defaulted startupProbes into every container of that name, wherever the SidecarSet's containers are written down. */
function withProbes(value: unknown, defaulted: SidecarSet): unknown {
  if (Array.isArray(value)) return value.map((element) => withProbes(element, defaulted));
  if (!isObject(value)) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, held]) => [key, withProbes(held, defaulted)]));
  if (!isObject(copy.startupProbe)) return copy;
  const source = containersOf(defaulted).find(({ name }) => name === copy.name);
  return source === undefined ? copy : { ...copy, startupProbe: source.startupProbe };
}

function isPodOf(expected: Record<string, unknown>, actual: unknown): actual is { patched: object } {
  return isObject(expected.patched) && isObject(actual) && isObject(actual.patched);
}

/** Sidecars and records are those of the other SidecarSet; all that is the pod's own has to be the same. */
function likeActualSidecars(expected: Record<string, unknown>, actual: { patched: object }): unknown {
  const [theirs, ours] = [expected.patched, actual.patched] as { metadata: object; spec: Record<string, unknown> }[];
  if (theirs === undefined || ours === undefined) return undefined;
  const own = (list: unknown): unknown[] => (Array.isArray(list) ? list.filter((element) => !isSidecar(element)) : []);
  const isSame = differences(own(theirs.spec.containers), own(ours.spec.containers)).length === 0;
  return isSame ? actual : undefined;
}

function isSidecar(container: unknown): boolean {
  return JSON.stringify(container).includes('"IS_INJECTED"');
}
