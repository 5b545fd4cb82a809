import {
  type Container,
  decideRevisions,
  KRUISE,
  type SidecarContainer,
  type SidecarSet,
  sidecarSetHash,
  sidecarSetHashWithoutImage,
} from '@sidestep/core';
import { differences, isObject, mapStrings } from '../compare.js';
import { withProbeDefaults } from '../probe-defaults.js';
import {
  containersOf,
  errorsIn,
  isAccepted,
  isAdmitted,
  isRefusedWrite,
  messageOf,
  namesInPod,
  setsIn,
} from './answers.js';
import type { CaseFacts, OnPurpose } from './rule.js';

/** What OpenKruise says of fields that have a default in the other probes. */
const MISSING =
  /^spec\.\w+\[\d+\]\.startupProbe\.(?:(?:success|failure)Threshold|(?:timeout|period)Seconds|httpGet\.(?:path|scheme)): (?:Invalid value: 0: |Required value|Unsupported value: "": )/;

export const startupProbeDefaults: OnPurpose = {
  name: 'startupProbe has defaults',
  sentence:
    'startupProbe is defaulted like the other probes; OpenKruise demands that every field of it is spelled out.',
  adjust: ({ expected }, facts) => {
    if (isRefusedWrite(expected)) return withoutComplaint(expected, facts);
    const sets = isAccepted(expected)
      ? [facts.writes.at(-1)?.posted.metadata.name]
      : isAdmitted(expected)
        ? setsIn(expected.patched, facts).map(({ posted }) => posted.metadata.name)
        : [];
    return storedOf(sets, facts).reduce<unknown>((answer, set) => spelledOut(answer, set), expected);
  },
};

/** Everything that OpenKruise ever stored of these SidecarSets: a revision of any of them may be told of. */
function storedOf(names: readonly (string | undefined)[], { writes }: CaseFacts): SidecarSet[] {
  const about = writes.filter(({ posted }) => names.includes(posted.metadata.name));
  return about.flatMap(({ recorded }) => recorded?.stored?.v1beta1 ?? recorded?.stored?.v1alpha1 ?? []);
}

/** A refusal for what else is wrong; or if nothing is, what becomes of the same object with its probes spelled out. */
function withoutComplaint(expected: { message: string }, { writes, writeInstead }: CaseFacts): unknown {
  const errors = errorsIn(expected.message);
  const others = errors.filter((error) => !MISSING.test(error));
  if (others.length === errors.length) return undefined;
  if (others.length > 0) return { ...expected, message: messageOf(others) };
  const posted = writes.at(-1)?.posted;
  return posted === undefined ? undefined : writeInstead?.(withProbes(posted));
}

/**
 * The answer with the probes of one SidecarSet spelled out, wherever its containers and hashes are written down.
 *
 * @param stored the set as OpenKruise has it
 */
function spelledOut(answer: unknown, stored: SidecarSet): unknown {
  const after = withProbes(stored);
  if (differences(stored, after).length === 0 || !isHashedAlike(stored)) return answer;
  const renamed = new Map([
    [sidecarSetHash(stored), sidecarSetHash(after)],
    [sidecarSetHashWithoutImage(stored), sidecarSetHashWithoutImage(after)],
    [revisionHash(stored), revisionHash(after)],
  ]);
  const rename = (text: string): string => [...renamed].reduce((held, [from, to]) => held.replaceAll(from, to), text);
  const names = new Set(containersOf(stored).flatMap(namesInPod));
  return inContainers(mapStrings(answer, rename), names);
}

/** Hashes may differ for the probes and for nothing else: of what OpenKruise stored ours have to be the same. */
function isHashedAlike(stored: SidecarSet): boolean {
  const { [KRUISE.hash]: hash, [KRUISE.hashWithoutImage]: bare } = stored.metadata.annotations ?? {};
  return hash === sidecarSetHash(stored) && bare === sidecarSetHashWithoutImage(stored);
}

function revisionHash(set: SidecarSet): string {
  const decision = decideRevisions({ set, existing: [], inUse: new Set(), namespace: '' });
  return decision.latest.metadata.labels?.[KRUISE.controllerRevisionHash] ?? '';
}

function withProbes(set: SidecarSet): SidecarSet {
  const { containers, initContainers } = set.spec;
  const lists = {
    ...(containers ? { containers: containers.map(withProbe) } : {}),
    ...(initContainers ? { initContainers: initContainers.map(withProbe) } : {}),
  };
  return { ...set, spec: { ...set.spec, ...lists } };
}

function withProbe<C extends Container | SidecarContainer>(container: C): C {
  const { startupProbe } = container;
  return isObject(startupProbe) ? { ...container, startupProbe: withProbeDefaults(startupProbe) } : container;
}

function inContainers(value: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((element) => inContainers(element, names));
  if (!isObject(value)) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, held]) => [key, inContainers(held, names)]));
  return typeof copy.name === 'string' && names.has(copy.name) ? withProbe(copy as unknown as Container) : copy;
}
