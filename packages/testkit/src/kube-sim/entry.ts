import { printJson, readJson } from './json.js';
import type { ResourceDefinition, SimObject } from './types.js';

/**
 * One stored version of one object. The body is kept as text only: a writer parses its own copy, so no reader can be surprised by a
 * write, lists and watches send it without encoding, and 10,000 pods cost their JSON and little more.
 */
export interface Entry {
  readonly key: string;
  readonly resourceVersion: number;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What field selectors can ask for. */
  readonly fields: Readonly<Record<string, string>>;
  readonly ownerUids: readonly string[];
  /** JSON in the storage version, without the opening brace, kind and apiVersion. */
  readonly tail: string;
}

export const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

type FieldReader = (object: SimObject) => Record<string, string | undefined>;

const at = (object: unknown, ...path: string[]): string | undefined => {
  let value = object;
  for (const step of path) value = (value as Record<string, unknown> | undefined)?.[step];
  return value === undefined || value === null ? undefined : String(value);
};

const INVOLVED = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
const eventFields: FieldReader = (object) => ({
  ...Object.fromEntries(INVOLVED.map((field) => [`involvedObject.${field}`, at(object, 'involvedObject', field)])),
  reason: at(object, 'reason'),
  type: at(object, 'type'),
  source: at(object, 'source', 'component'),
  reportingComponent: at(object, 'reportingComponent'),
});

/** Field selectors beyond name and namespace, by `group/plural` (kubernetes.io, "Field Selectors"). */
const FIELD_READERS: Record<string, FieldReader> = {
  '/pods': (object) => ({
    'spec.nodeName': at(object, 'spec', 'nodeName'),
    'spec.restartPolicy': at(object, 'spec', 'restartPolicy'),
    'spec.schedulerName': at(object, 'spec', 'schedulerName'),
    'spec.serviceAccountName': at(object, 'spec', 'serviceAccountName'),
    'status.phase': at(object, 'status', 'phase'),
    'status.podIP': at(object, 'status', 'podIP'),
  }),
  '/events': eventFields,
  'events.k8s.io/events': eventFields,
  '/secrets': (object) => ({ type: at(object, 'type') }),
  '/namespaces': (object) => ({ 'status.phase': at(object, 'status', 'phase') }),
  '/nodes': (object) => ({ 'spec.unschedulable': at(object, 'spec', 'unschedulable') ?? 'false' }),
};

export const resourceId = (resource: { group: string; plural: string }): string =>
  `${resource.group}/${resource.plural}`;

/** The fields a selector may name for this resource. */
export function selectableFields(resource: ResourceDefinition): string[] {
  const own = FIELD_READERS[resourceId(resource)]?.({ apiVersion: '', kind: '', metadata: { name: '' } });
  return ['metadata.name', ...(resource.namespaced ? ['metadata.namespace'] : []), ...Object.keys(own ?? {})];
}

export function entryOf(
  resource: { group: string; plural: string },
  object: SimObject,
  resourceVersion: number,
): Entry {
  const { metadata } = object;
  const own = FIELD_READERS[resourceId(resource)]?.(object) ?? {};
  const fields: Record<string, string> = {
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace ?? '',
  };
  for (const [field, value] of Object.entries(own)) if (value !== undefined) fields[field] = value;
  return {
    key: keyOf(metadata.namespace, metadata.name),
    resourceVersion,
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    uid: metadata.uid ?? '',
    labels: metadata.labels ?? {},
    fields,
    ownerUids: metadata.ownerReferences?.map((owner) => owner.uid) ?? [],
    tail: tailOf(object, resourceVersion),
  };
}

/** Metadata first, as a real server prints it, then the other fields in the order they came. */
function tailOf(object: SimObject, resourceVersion: number): string {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = object;
  const text = printJson({ metadata: { ...metadata, resourceVersion: String(resourceVersion) }, ...rest });
  return text.slice(1);
}

export const apiVersionOf = (resource: { group: string; version: string }): string =>
  resource.group ? `${resource.group}/${resource.version}` : resource.version;

/** Whole JSON text of a tail in one version. */
export const withKind = (resource: ResourceDefinition, tail: string): string =>
  `{"kind":"${resource.kind}","apiVersion":"${apiVersionOf(resource)}",${tail}`;

export const parseEntry = (resource: ResourceDefinition, tail: string): SimObject =>
  readJson(withKind(resource, tail)) as SimObject;
