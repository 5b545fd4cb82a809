import { KRUISE, type LabelSelector, type ObjectMeta, SIDESTEP, type SidecarSet } from '@sidestep/core';
import { isObject } from '../compare.js';
import type { RecordedRevision } from '../golden-case.js';
import { type AcceptedWrite, isAccepted } from './answers.js';
import type { CaseFacts, OnPurpose } from './rule.js';

const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

/** The last write as it was posted. */
interface Posted {
  isV1alpha1: boolean;
  namespace: string | undefined;
  selector: LabelSelector | undefined;
  labels: Record<string, string>;
  customVersion: string | undefined;
}

function readPosted({ apiVersion, metadata, spec }: SidecarSet): Posted {
  const { namespace, namespaceSelector, customVersion } = spec as SidecarSet['spec'] & { namespace?: string };
  return {
    isV1alpha1: apiVersion === 'apps.kruise.io/v1alpha1',
    namespace,
    selector: namespaceSelector,
    labels: metadata.labels ?? {},
    customVersion,
  };
}

/** The namespace that a selector names and says nothing else. */
function onlyNamespace(selector: LabelSelector | undefined): string | undefined {
  const isPlain = isObject(selector) && isObject(selector.matchLabels) && Object.keys(selector).length === 1;
  if (!isPlain || Object.keys(selector.matchLabels ?? {}).length !== 1) return undefined;
  return selector.matchLabels?.[NAMESPACE_NAME];
}

export const namespaceReadBack: OnPurpose = {
  name: 'v1alpha1 spec.namespace is given back',
  sentence:
    'A SidecarSet reads back in v1alpha1 with the namespace it was written with; OpenKruise shows a namespaceSelector.',
  adjust: ({ expected }, { writes }) => {
    const written = writes.at(-1)?.posted;
    if (written === undefined || !isAccepted(expected) || expected.stored?.v1alpha1 === undefined) return undefined;
    const { isV1alpha1, namespace, selector } = readPosted(written);
    const given = isV1alpha1 ? namespace : onlyNamespace(selector);
    if (given === undefined) return undefined;
    const { namespaceSelector: theirs, ...spec } = expected.stored.v1alpha1.spec;
    // OpenKruise has to show that very namespace, in its own way.
    if (given !== '' && onlyNamespace(theirs) !== given) return undefined;
    const kept = isV1alpha1 ? selector : undefined;
    const shown = given === '' ? theirs : kept;
    const restored = { ...spec, namespace: given, ...(shown === undefined ? {} : { namespaceSelector: shown }) };
    return { ...expected, stored: { ...expected.stored, v1alpha1: { ...expected.stored.v1alpha1, spec: restored } } };
  },
};

export const conversionKeepsAll: OnPurpose = {
  name: 'conversion loses nothing',
  sentence: 'What the other API version cannot say is kept in an annotation; OpenKruise drops it.',
  adjust: ({ expected }, facts) => {
    const written = facts.writes.at(-1)?.posted;
    if (written === undefined || !isAccepted(expected)) return undefined;
    const { v1beta1, v1alpha1 } = expected.stored ?? {};
    const stored = {
      ...(v1beta1 ? { v1beta1: annotated(v1beta1, remainderInV1beta1(written)) } : {}),
      ...(v1alpha1 ? { v1alpha1: annotated(v1alpha1, remainderInV1alpha1(v1beta1 ?? written)) } : {}),
    };
    const revisions = expected.controllerRevisions?.map((revision) => {
      return withConversion(revision, remainderInV1beta1(writtenFor(revision, facts) ?? written));
    });
    return {
      ...expected,
      ...(expected.stored ? { stored } : {}),
      ...(revisions ? { controllerRevisions: revisions } : {}),
    } satisfies AcceptedWrite;
  },
};

/** What v1beta1 cannot say of an object posted as v1alpha1. */
function remainderInV1beta1(posted: SidecarSet): Record<string, unknown> {
  const { isV1alpha1, namespace, selector, labels } = readPosted(posted);
  if (!isV1alpha1) return {};
  const emptyLabel = labels[KRUISE.customVersion] === '' ? { emptyLabel: true } : {};
  if (namespace)
    return { ...(selector === undefined ? {} : { namespace, namespaceSelector: selector }), ...emptyLabel };
  const bySelector = onlyNamespace(selector) === undefined ? {} : { bySelector: true };
  return { ...(namespace === undefined ? {} : { namespace }), ...bySelector, ...emptyLabel };
}

/** What v1alpha1 cannot say of an object in v1beta1: it has the custom version as a label, so not another label of that name. */
function remainderInV1alpha1(stored: SidecarSet): Record<string, unknown> {
  const { isV1alpha1, labels, customVersion } = readPosted(stored);
  const label = labels[KRUISE.customVersion];
  if (isV1alpha1 || label === undefined) return {};
  return { label, ...(customVersion === undefined ? {} : { customVersion }) };
}

/** The write that made the revision. */
function writtenFor({ name }: RecordedRevision, { writes }: CaseFacts): SidecarSet | undefined {
  return writes.find(({ recorded }) => recorded?.controllerRevisions?.some((each) => each.name === name))?.posted;
}

function annotated(set: SidecarSet, remainder: Record<string, unknown>): SidecarSet {
  return { ...set, metadata: withConversion(set.metadata, remainder) };
}

function withConversion<M extends ObjectMeta>(metadata: M, remainder: Record<string, unknown>): M {
  if (Object.keys(remainder).length === 0) return metadata;
  const annotations = { ...metadata.annotations, [SIDESTEP.conversion]: JSON.stringify(remainder) };
  return { ...metadata, annotations };
}
