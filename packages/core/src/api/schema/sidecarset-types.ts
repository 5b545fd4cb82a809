import { LABEL_SELECTOR } from './selector-types.js';
import {
  always,
  boolean,
  type Field,
  int32,
  intOrString,
  list,
  map,
  nonEmpty,
  pointer,
  type ScalarShape,
  type StructShape,
  string,
  struct,
} from './shape.js';
import { SIDECAR_CONTAINER } from './sidecar-container-types.js';
import { UPDATE_STRATEGY } from './update-strategy-types.js';
import { OBJECT_META, VOLUME } from './volume-types.js';

const oneOf = (...values: string[]): ScalarShape => ({ ...string, enum: values });

export const INJECT_REVISION = struct('SidecarSetInjectRevision', [
  pointer('customVersion', string, { description: 'The revision with this custom version.' }),
  pointer('revisionName', string, { description: 'The name of the ControllerRevision. Wins over customVersion.' }),
  nonEmpty('policy', oneOf('Always', 'Partial'), {
    default: 'Always',
    description:
      'Always injects the revision into every new pod; Partial into as many as the update strategy leaves at the old revision.',
  }),
]);

const INJECTION_STRATEGY = struct('SidecarSetInjectionStrategy', [
  nonEmpty('paused', boolean, { description: 'Inject into no new pod while true.' }),
  pointer('revision', INJECT_REVISION, { description: 'Inject an older revision instead of the newest.' }),
  nonEmpty('onNameConflict', oneOf('Overwrite', 'Reject'), {
    own: true,
    description:
      'When a sidecar has the name of a container of the pod: Overwrite (default) replaces that one, Reject refuses the pod.',
  }),
]);

const PATCH_POD_METADATA = struct('SidecarSetPatchPodMetadata', [
  nonEmpty('annotations', map(string), { description: 'Annotations for the injected pods.' }),
  nonEmpty('patchPolicy', string, {
    description: 'Retain (default) sets what is absent, Overwrite replaces, MergePatchJson merges JSON values.',
  }),
]);

const LOCAL_OBJECT_REFERENCE = struct(
  'LocalObjectReference',
  [nonEmpty('name', string, { description: 'Name of the object.' })],
  { isKubernetes: true },
);

export const PATCH_POD_METADATA_LIST = list(PATCH_POD_METADATA);
export const SECRET_LIST = list(LOCAL_OBJECT_REFERENCE);

/** `spec` as v1beta1 has it, in OpenKruise's order. */
export const SPEC_V1BETA1 = struct('SidecarSetSpec', [
  pointer('selector', LABEL_SELECTOR, {
    description: 'The pods to inject into. Required; an empty selector is refused.',
  }),
  pointer('namespaceSelector', LABEL_SELECTOR, {
    description: 'The namespaces to inject into. Left out: all of them.',
  }),
  nonEmpty(
    'initContainers',
    { ...list(SIDECAR_CONTAINER), schemaless: true },
    {
      description: 'Init containers to inject; with restartPolicy Always they are native sidecars.',
    },
  ),
  nonEmpty(
    'containers',
    { ...list(SIDECAR_CONTAINER), schemaless: true },
    {
      description: 'Sidecar containers to inject: Kubernetes containers with a few more fields.',
    },
  ),
  nonEmpty('volumes', { ...list(VOLUME), schemaless: true }, { description: 'Volumes that the sidecars mount.' }),
  nonEmpty('updateStrategy', UPDATE_STRATEGY, { description: 'How running pods are upgraded.' }),
  nonEmpty('injectionStrategy', INJECTION_STRATEGY, { description: 'How new pods are injected.' }),
  nonEmpty('imagePullSecrets', SECRET_LIST, {
    description: 'Secrets in the pod’s namespace for pulling sidecar images.',
  }),
  pointer('revisionHistoryLimit', int32, {
    description: 'How many revisions are kept. Default 10; revisions in use are kept in any case.',
  }),
  nonEmpty('patchPodMetadata', PATCH_POD_METADATA_LIST, {
    description:
      'Annotations to put on injected pods; the whitelist in ConfigMap kruise-configuration must allow them.',
  }),
  nonEmpty('customVersion', string, { description: 'A name of your own for the revision that this spec makes.' }),
]);

/** `spec` as v1alpha1 has it: with `namespace`, and without `customVersion`, which is a label there. */
export const SPEC_V1ALPHA1 = struct('SidecarSetSpec', [
  ...SPEC_V1BETA1.fields.slice(0, 1),
  nonEmpty('namespace', string, { description: 'The one namespace to inject into. Wins over namespaceSelector.' }),
  ...SPEC_V1BETA1.fields.slice(1).filter((field) => field.name !== 'customVersion'),
]);

const CONDITION = struct('Condition', [
  always('type', string, { required: true, description: 'Ready, Progressing, Degraded or Paused.' }),
  always('status', oneOf('True', 'False', 'Unknown'), { required: true, description: 'Whether the condition holds.' }),
  pointer('observedGeneration', { ...int32, kind: 'int64' }, { description: 'The generation that was looked at.' }),
  pointer('lastTransitionTime', { ...string, format: 'date-time' }, { description: 'When status last changed.' }),
  always('reason', string, { required: true, description: 'One documented word.' }),
  always('message', string, { required: true, description: 'A sentence with numbers.' }),
]);

const counter = (name: string, description: string, notes: Partial<Field> = {}): Field =>
  nonEmpty(name, int32, { description, ...notes });

/** `status`, the same in both versions. */
export const STATUS = struct('SidecarSetStatus', [
  nonEmpty('observedGeneration', { kind: 'int64' }, { description: 'The generation that this status is about.' }),
  counter('matchedPods', 'Pods that carry the sidecars.', { required: true }),
  counter('updatedPods', 'Matched pods at the newest revision.', { required: true }),
  counter('readyPods', 'Matched pods that are ready.', { required: true }),
  counter('updatedReadyPods', 'Matched pods that are both.'),
  nonEmpty('latestRevision', string, { description: 'The ControllerRevision that the spec makes.' }),
  counter('collisionCount', 'How often a revision name was taken by another spec.'),
  counter('upgradingPods', 'Pods that were begun and are not done.', { own: true }),
  counter('failedPods', 'Pods that failed to upgrade.', { own: true }),
  nonEmpty('currentRevision', string, {
    own: true,
    description: 'The last revision that every pod ran well.',
  }),
  nonEmpty('failedRevision', string, {
    own: true,
    description: 'The revision that the failure policy took back; gone when the spec changes or a retry is asked for.',
  }),
  counter('currentStep', 'Index of the canary step that is worked on.', { own: true }),
  nonEmpty('observedSteps', list(intOrString), {
    own: true,
    description: 'How many pods each canary step lets be updated, as currentStep counts them.',
  }),
  nonEmpty('stepsSince', string, {
    own: true,
    description: 'Since when these steps are gone through for this revision (RFC 3339); a promotion names it.',
  }),
  nonEmpty('stepGoodSince', string, {
    own: true,
    description: 'Since when every pod of the canary step is good (RFC 3339); its timed pause counts from here.',
  }),
  nonEmpty('observedRetry', string, { own: true, description: 'The value of sidestep.dev/retry acted on last.' }),
  nonEmpty('conditions', list(CONDITION), { own: true, description: 'Ready, Progressing, Degraded, Paused.' }),
]);

const objectOf = (spec: StructShape): StructShape =>
  struct('SidecarSet', [
    nonEmpty('apiVersion', string),
    nonEmpty('kind', string),
    nonEmpty('metadata', OBJECT_META),
    nonEmpty('spec', spec, { description: 'What to inject into which pods, and how to upgrade it.' }),
    nonEmpty('status', STATUS, { description: 'How far the upgrade is.' }),
  ]);

/** The whole object, by version. */
export const SIDECARSET = { v1alpha1: objectOf(SPEC_V1ALPHA1), v1beta1: objectOf(SPEC_V1BETA1) } as const;
