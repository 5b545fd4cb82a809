import type { Container, Pod, SidecarContainer, SidecarSet } from '@sidestep/core';
import { differences, isObject } from '../compare.js';
import type { RecordedRevision } from '../golden-case.js';
import { withNewerOf, withoutNewer } from '../openkruise-fields.js';
import {
  type AcceptedWrite,
  type AdmittedPod,
  containersOf,
  isAccepted,
  isAdmitted,
  isSidecarOf,
  namesInPod,
  setsIn,
  withSpec,
} from './answers.js';
import type { CaseFacts, OnPurpose, RecordedWrite } from './rule.js';

const LISTS = ['containers', 'initContainers'] as const;

export const podFieldsSurvive: OnPurpose = {
  name: 'fields of the pod that a client does not know survive',
  sentence:
    'Patches insert whole new elements and never re-encode or move what they do not own; OpenKruise drops such fields.',
  adjust: ({ expected }, facts) => {
    if (facts.pod === undefined) return undefined;
    const known = withKnownFields(facts.pod.request);
    if (differences(known, facts.pod.request).length === 0) return undefined;
    if (isAdmitted(expected)) return withOwn(expected, facts.pod.request, facts);
    if (!isRefusedByServer(expected)) return undefined;
    const answer = facts.pod.admitInstead({ object: known });
    return isAdmitted(answer) ? withOwn(answer, facts.pod.request, facts) : undefined;
  },
};

/** OpenKruise's patch lost or moved a field, and the API server refused what was left of the containers. */
function isRefusedByServer(expected: unknown): boolean {
  if (!isObject(expected) || expected.allowed !== false || typeof expected.error !== 'string') return false;
  const complaints = expected.error.split('\n').slice(1);
  return complaints.length > 0 && complaints.every((each) => /^\* spec\.(?:containers|initContainers)\[/.test(each));
}

function withKnownFields(pod: Pod): Pod {
  const lists = LISTS.map((list) => [list, pod.spec[list]?.map((each) => withoutNewer(each, 'Container'))] as const);
  const held = Object.fromEntries(lists.filter(([, containers]) => containers !== undefined));
  return { ...pod, spec: { ...pod.spec, ...held } };
}

/** Sidecars without what was left on them of others, and the pod's own containers with all that they came with. */
function withOwn(answer: AdmittedPod, request: Pod, facts: CaseFacts): AdmittedPod {
  const sets = setsIn(answer.patched, facts);
  const writes = sets.length > 0 ? sets : facts.writes;
  const changed = LISTS.map((list) => {
    const own = request.spec[list] ?? [];
    const containers = answer.patched.spec[list]?.map((container) => {
      const sent = own.find(({ name }) => name === container.name);
      const known = withoutNewer(container, 'Container');
      if (sent === undefined) return isSidecarOf(writes, container) ? known : container;
      return withNewerOf(known, sent, 'Container');
    });
    return [list, containers] as const;
  });
  return withSpec(answer, Object.fromEntries(changed.filter(([, containers]) => containers !== undefined)));
}

export const unknownFieldsKept: OnPurpose = {
  name: 'unknown fields of containers are kept',
  sentence:
    'Fields of containers and volumes that this version does not know stay in the SidecarSet; OpenKruise drops them.',
  adjust: ({ expected }, facts) => {
    if (isAccepted(expected)) return withPostedFields(expected, facts);
    if (!isAdmitted(expected)) return undefined;
    const sets = setsIn(expected.patched, facts).map(({ posted }) => posted.metadata.name);
    const posts = facts.writes.filter(({ posted }) => sets.includes(posted.metadata.name));
    const changed = LISTS.map(
      (list) => [list, expected.patched.spec[list]?.map((each) => asPosted(each, posts))] as const,
    );
    return withSpec(expected, Object.fromEntries(changed.filter(([, containers]) => containers !== undefined)));
  },
};

/** A sidecar with the fields that its set was posted with, in the version that has the same image. */
function asPosted(container: Container, posts: readonly RecordedWrite[]): Container {
  const candidates = posts
    .flatMap(({ posted }) => containersOf(posted))
    .filter((each) => namesInPod(each).includes(container.name));
  const source = candidates.findLast(({ image }) => image === container.image) ?? candidates.at(-1);
  if (source === undefined) return container;
  const { name: _name, ...fields } = withoutOwn(source);
  return withNewerOf(container, { ...fields, name: container.name }, 'Container') as Container;
}

/** A pod's container has none of the fields that only a SidecarSet's has. */
function withoutOwn(container: SidecarContainer): SidecarContainer {
  const only = [
    'podInjectPolicy',
    'upgradeStrategy',
    'shareVolumePolicy',
    'shareVolumeDevicePolicy',
    'transferEnv',
    'resourcesPolicy',
  ];
  return Object.fromEntries(Object.entries(container).filter(([key]) => !only.includes(key))) as SidecarContainer;
}

function withPostedFields(expected: AcceptedWrite, { writes }: CaseFacts): unknown {
  const written = writes.at(-1)?.posted;
  if (written === undefined) return undefined;
  const { v1beta1, v1alpha1 } = expected.stored ?? {};
  const revisions = expected.controllerRevisions?.map((revision) => ({
    ...revision,
    data: { ...(revision.data as object), spec: withFields(specOf(revision), postedFor(revision, writes).spec) },
  }));
  const stored = {
    ...(v1beta1 ? { v1beta1: { ...v1beta1, spec: withFields(v1beta1.spec, written.spec) } } : {}),
    ...(v1alpha1 ? { v1alpha1: { ...v1alpha1, spec: withFields(v1alpha1.spec, written.spec) } } : {}),
  };
  return {
    ...expected,
    ...(expected.stored ? { stored } : {}),
    ...(revisions ? { controllerRevisions: revisions } : {}),
  };
}

const specOf = ({ data }: RecordedRevision): SidecarSet['spec'] => (data as { spec: SidecarSet['spec'] }).spec;

/** The write that a revision is of: the last one with the same images. */
function postedFor(revision: RecordedRevision, writes: CaseFacts['writes']): SidecarSet {
  const images = (spec: SidecarSet['spec']): string =>
    JSON.stringify((spec.containers ?? []).map(({ image }) => image));
  const posts = writes
    .map(({ posted }) => posted)
    .filter((posted) => posted.metadata.name === writes.at(-1)?.posted.metadata.name);
  return posts.findLast((posted) => images(posted.spec) === images(specOf(revision))) ?? (posts.at(-1) as SidecarSet);
}

function withFields(spec: SidecarSet['spec'], posted: SidecarSet['spec']): SidecarSet['spec'] {
  const lists = (['containers', 'initContainers', 'volumes'] as const).flatMap((list) => {
    const type = list === 'volumes' ? 'Volume' : 'SidecarContainer';
    return spec[list] ? [[list, withNewerOf(spec[list], posted[list] ?? [], type)] as const] : [];
  });
  return { ...spec, ...Object.fromEntries(lists) };
}
