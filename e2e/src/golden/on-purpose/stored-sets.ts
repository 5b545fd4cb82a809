import type { SidecarSet } from '@sidestep/core';
import { isObject } from '../compare.js';
import type { OnPurpose } from './rule.js';

const CONVERSION = 'sidestep.dev/conversion';
const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

interface AcceptedWrite {
  stored: { v1beta1: SidecarSet; v1alpha1: SidecarSet };
  controllerRevisions: { annotations?: Record<string, string> }[];
}

function isAccepted(answer: unknown): answer is AcceptedWrite {
  return isObject(answer) && isObject(answer.stored);
}

export const namespaceReadBack: OnPurpose = {
  name: 'v1alpha1 spec.namespace is given back',
  sentence:
    'A SidecarSet reads back in v1alpha1 with the namespace it was written with; OpenKruise shows a namespaceSelector.',
  adjust: ({ expected, actual }) => {
    if (!isAccepted(expected) || !isAccepted(actual)) return undefined;
    const ours = actual.stored.v1alpha1;
    const { namespaceSelector, ...spec } = expected.stored.v1alpha1.spec;
    const named = ours.spec.namespace;
    const kept = ours.metadata.annotations?.[CONVERSION];
    const isSame = named !== undefined && namespaceSelector?.matchLabels?.[NAMESPACE_NAME] === named;
    if (!isSame && kept === undefined) return undefined;
    const restored = ours.spec.namespaceSelector;
    const namespace = { namespace: named, ...(restored ? { namespaceSelector: restored } : {}) };
    const v1alpha1 = {
      ...expected.stored.v1alpha1,
      spec: isSame ? { ...spec, ...namespace } : expected.stored.v1alpha1.spec,
    };
    return { ...expected, stored: { ...expected.stored, v1alpha1 } };
  },
};

export const conversionKeepsAll: OnPurpose = {
  name: 'conversion loses nothing',
  sentence: 'What the other API version cannot say is kept in an annotation; OpenKruise drops it.',
  adjust: ({ expected, actual }) => {
    if (!isAccepted(expected) || !isAccepted(actual)) return undefined;
    const versions = ['v1beta1', 'v1alpha1'] as const;
    if (!versions.some((version) => actual.stored[version].metadata.annotations?.[CONVERSION])) return undefined;
    const stored = Object.fromEntries(
      versions.map((version) => {
        const set = expected.stored[version];
        const annotations = withConversion(set.metadata.annotations, actual.stored[version].metadata.annotations);
        return [version, { ...set, metadata: { ...set.metadata, annotations } }];
      }),
    );
    const controllerRevisions = expected.controllerRevisions.map((revision, index) => ({
      ...revision,
      annotations: withConversion(revision.annotations, actual.controllerRevisions[index]?.annotations),
    }));
    return { ...expected, stored, controllerRevisions };
  },
};

function withConversion(theirs: Record<string, string> | undefined, ours: Record<string, string> | undefined) {
  const kept = ours?.[CONVERSION];
  return kept === undefined ? theirs : { ...theirs, [CONVERSION]: kept };
}

export const unknownFieldsKept: OnPurpose = {
  name: 'unknown fields of containers are kept',
  sentence:
    'Fields of containers and volumes that this version does not know stay in the SidecarSet; OpenKruise drops them.',
  adjust: ({ expected, actual }, { sidecarSets }) => {
    const posted = sidecarSets.flatMap(({ spec }) =>
      [spec.containers, spec.initContainers, spec.volumes].flatMap((list) => list ?? []),
    );
    return withKept(expected, actual, posted);
  },
};

/** Adds what we have and OpenKruise lacks to elements of that name, if somebody posted exactly that. */
function withKept(expected: unknown, actual: unknown, posted: unknown[]): unknown {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return expected.map((element, index) => withKept(element, actual[index], posted));
  }
  if (!isObject(expected) || !isObject(actual)) return expected;
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(expected)) result[key] = withKept(value, actual[key], posted);
  for (const [key, value] of Object.entries(actual)) {
    if (!(key in expected) && wasPosted(posted, actual.name, key, value)) result[key] = value;
  }
  return result;
}

function wasPosted(posted: unknown, name: unknown, key: string, value: unknown): boolean {
  if (Array.isArray(posted)) return posted.some((element) => wasPosted(element, name, key, value));
  if (!isObject(posted)) return false;
  const isThis = posted.name === name && JSON.stringify(posted[key]) === JSON.stringify(value);
  return isThis || Object.values(posted).some((held) => wasPosted(held, name, key, value));
}

const OWN_STATUS = [
  'conditions',
  'upgradingPods',
  'failedPods',
  'currentRevision',
  'failedRevision',
  'observedRetry',
  'currentStep',
  'stepGoodSince',
];

export const ownStatus: OnPurpose = {
  name: 'status says more',
  sentence: 'Conditions, counts of upgrading and failed pods and the last good revision are added to the status.',
  adjust: ({ expected, actual }) => {
    if (!isObject(expected) || !isObject(actual)) return undefined;
    if (!isAccepted(expected) || !isAccepted(actual)) return withOwnStatus(expected, actual);
    const v1beta1 = withOwnStatus(expected.stored.v1beta1, actual.stored.v1beta1);
    const v1alpha1 = withOwnStatus(expected.stored.v1alpha1, actual.stored.v1alpha1);
    return { ...expected, stored: { v1beta1, v1alpha1 } };
  },
};

function withOwnStatus(expected: object, actual: object): object {
  const [theirs, ours] = [expected, actual].map((each) => ('status' in each ? each.status : undefined));
  if (!isObject(theirs) || !isObject(ours)) return expected;
  const added = Object.entries(ours).filter(([key]) => OWN_STATUS.includes(key));
  return { ...expected, status: { ...theirs, ...Object.fromEntries(added) } };
}
