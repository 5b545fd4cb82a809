import { createHash } from 'node:crypto';
import { type Container, KRUISE, matchesSelector, type Pod, type SidecarSet } from '@sidestep/core';
import { differences } from '../compare.js';
import { type AdmittedPod, isAdmitted, isSidecarOf, recordsOf, setsIn, withContainers } from './answers.js';
import type { CaseFacts, OnPurpose, RecordedWrite } from './rule.js';

const MARKER = 'IS_INJECTED';

export const markedOnce: OnPurpose = {
  name: 'IS_INJECTED is not repeated',
  sentence: 'A sidecar with an env IS_INJECTED of its own gets the marker once; OpenKruise lists it twice.',
  adjust: ({ expected }, facts) => {
    if (!isAdmitted(expected)) return undefined;
    const sets = setsIn(expected.patched, facts);
    return withContainers(expected, (each) => (isSidecarOf(sets, each) ? withOneMarker(each) : each));
  },
};

/** The one that OpenKruise appended stays. */
function withOneMarker(container: Container): Container {
  const last = container.env?.findLastIndex(({ name }) => name === MARKER);
  if (container.env === undefined || last === undefined) return container;
  return { ...container, env: container.env.filter(({ name }, index) => name !== MARKER || index === last) };
}

export const partialIsStable: OnPurpose = {
  name: 'policy Partial is stable per pod',
  sentence:
    'Which pods get the pinned revision follows from the pod and the SidecarSet; OpenKruise throws dice for each request.',
  adjust: ({ expected }, facts) => {
    if (!isAdmitted(expected) || facts.pod === undefined) return undefined;
    const { admitInstead, request } = facts.pod;
    const diced = setsIn(expected.patched, facts).filter(({ posted }) => throwsDice(posted, request));
    if (diced.length === 0) return undefined;
    const fell = new Map(diced.map((write) => [nameOf(write), gotPinned(write, expected)]));
    const drawn = new Map(diced.map((write) => [nameOf(write), drawsPinned(write.posted, facts.pod)]));
    // OpenKruise's pod has to be whole, with its dice as they fell: then it would be ours with the lots as they are drawn.
    if (differences(admitInstead({ change: fixed(fell) }), expected).length > 0) return undefined;
    return admitInstead({ change: fixed(drawn) });
  },
};

const nameOf = ({ posted }: RecordedWrite): string => posted.metadata.name ?? '';

/** Whether chance decides about this pod: with a number there is none, and neither with a pod that the canary does not select. */
function throwsDice({ spec }: SidecarSet, pod: Pod): boolean {
  const { partition, selector, paused } = spec.updateStrategy ?? {};
  if (spec.injectionStrategy?.revision?.policy !== 'Partial' || paused === true) return false;
  if (selector && !matchesSelector(selector, pod.metadata.labels ?? {})) return false;
  return typeof partition === 'string' && /^\d+%$/.test(partition) && partition !== '0%' && partition !== '100%';
}

/** What the pod's record says: the hash of the current spec, or another. */
function gotPinned({ posted, recorded }: Required<RecordedWrite>, { patched }: AdmittedPod): boolean {
  const latest = recorded.hash ?? recorded.stored?.v1beta1?.metadata.annotations?.[KRUISE.hash];
  return recordsOf(patched, KRUISE.hash)[posted.metadata.name ?? '']?.hash !== latest;
}

/** The lot: the first 48 bits of SHA-256 over the set's name and the pod's identity, as a share of all there are. */
function drawsPinned({ metadata, spec }: SidecarSet, pod: CaseFacts['pod']): boolean {
  const { uid, name, generateName = '' } = pod?.request.metadata ?? {};
  const identity = uid || (name ? `${pod?.namespace}/${name}` : `${pod?.namespace}/${generateName}/${pod?.uid ?? ''}`);
  const digest = createHash('sha256').update(`${metadata.name}\0${identity}`).digest();
  return digest.readUIntBE(0, 6) / 2 ** 48 < Number.parseInt(String(spec.updateStrategy?.partition), 10) / 100;
}

/** The SidecarSets with chance taken out: the revision that is pinned for every pod, or for none. */
const fixed =
  (pinned: ReadonlyMap<string, boolean>) =>
  (set: SidecarSet): SidecarSet => {
    const isPinned = pinned.get(set.metadata.name ?? '');
    const { revision, ...strategy } = set.spec.injectionStrategy ?? {};
    if (isPinned === undefined || revision === undefined) return set;
    const injectionStrategy = isPinned ? { ...strategy, revision: { ...revision, policy: 'Always' } } : strategy;
    return { ...set, spec: { ...set.spec, injectionStrategy } };
  };
