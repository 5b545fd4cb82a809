import type { FieldCause } from './api-error.js';
import { crdStrategy } from './crd/crd-strategy.js';
import { resourceId } from './entry.js';
import { printJson, sameJson } from './json.js';
import { podStrategy } from './pods/pod-strategy.js';
import type { ResourceDefinition, SimObject } from './types.js';

/** What the API server does to objects of one kind on their way in. All of it in place and synchronous. */
export interface Strategy {
  /** Defaults that every version of the object gets, before admission and after it. */
  default(object: SimObject): void;
  /** What built-in admission plugins add on creation, before webhooks are asked. */
  admit?(object: SimObject): void;
  prepareCreate(object: SimObject): void;
  prepareUpdate(object: SimObject, old: SimObject): void;
  prepareStatusUpdate(object: SimObject, old: SimObject): void;
  validate(object: SimObject): FieldCause[];
  validateUpdate(object: SimObject, old: SimObject): FieldCause[];
}

const nothing = (): void => undefined;

const contentOf = ({ metadata: _metadata, status: _status, ...content }: SimObject): object => content;

/** A new generation whenever something besides metadata and status changed. */
export function bumpGeneration(object: SimObject, old: SimObject): void {
  if (old.metadata.generation === undefined || sameJson(contentOf(object), contentOf(old))) return;
  object.metadata.generation = old.metadata.generation + 1;
}

/** Only the status comes from the client. */
const onlyStatus = (object: SimObject, old: SimObject): void => {
  const { status } = object;
  for (const field of Object.keys(object)) delete object[field];
  Object.assign(object, old, { metadata: { ...old.metadata } });
  if (status === undefined) delete object.status;
  else object.status = status;
};

const plain: Strategy = {
  default: nothing,
  prepareCreate: nothing,
  prepareUpdate: bumpGeneration,
  prepareStatusUpdate: onlyStatus,
  validate: () => [],
  validateUpdate: () => [],
};

/** Has a generation, and a status that only the status subresource writes. */
const workload: Strategy = {
  ...plain,
  prepareCreate(object) {
    object.metadata.generation = 1;
    delete object.status;
  },
  prepareUpdate(object, old) {
    if (old.status === undefined) delete object.status;
    else object.status = old.status;
    bumpGeneration(object, old);
  },
};

const keepStatus: Strategy = {
  ...plain,
  prepareUpdate(object, old) {
    if (old.status === undefined) delete object.status;
    else object.status = old.status;
  },
};

const namespaces: Strategy = {
  ...keepStatus,
  default(object) {
    object.spec ??= { finalizers: ['kubernetes'] };
    object.metadata.labels = { 'kubernetes.io/metadata.name': object.metadata.name, ...object.metadata.labels };
  },
  prepareCreate(object) {
    object.status = { phase: 'Active' };
  },
};

const BY_ID: Record<string, Strategy> = {
  '/pods': podStrategy,
  '/namespaces': namespaces,
  '/nodes': keepStatus,
  '/services': keepStatus,
  '/secrets': {
    ...plain,
    default(object) {
      const { stringData, ...rest } = object as SimObject & { stringData?: Record<string, string>; data?: object };
      delete object.stringData;
      object.type ??= 'Opaque';
      if (!stringData) return;
      const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
      object.data = { ...rest.data, ...Object.fromEntries(encoded) };
    },
  },
  'apps/controllerrevisions': { ...plain, validate: validateRevision, validateUpdate: validateRevisionUpdate },
  'apiextensions.k8s.io/customresourcedefinitions': crdStrategy(plain),
};

function validateRevision(revision: SimObject): FieldCause[] {
  if (revision.data === undefined || revision.data === null) {
    return [{ reason: 'FieldValueRequired', message: 'Required value: data is mandatory', field: 'data' }];
  }
  return Number(revision.revision) >= 0
    ? []
    : [
        {
          reason: 'FieldValueInvalid',
          message: `Invalid value: ${revision.revision}: must be greater than or equal to 0`,
          field: 'revision',
        },
      ];
}

function validateRevisionUpdate(revision: SimObject, old: SimObject): FieldCause[] {
  if (sameJson(revision.data, old.data)) return [];
  return [
    {
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${printJson(revision.data)}: field is immutable`,
      field: 'data',
    },
  ];
}

/** The rules for a built-in kind. */
export const builtinStrategy = (resource: ResourceDefinition): Strategy =>
  BY_ID[resourceId(resource)] ?? (resource.hasStatus || resource.group === 'apps' ? workload : plain);

/** A custom resource without its schema's own rules. */
export const customStrategy = (hasStatus: boolean): Strategy => ({
  ...(hasStatus ? workload : plain),
  prepareCreate(object) {
    object.metadata.generation = 1;
    if (hasStatus) delete object.status;
  },
});
