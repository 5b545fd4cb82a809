import { randomBytes, randomUUID } from 'node:crypto';
import type { FieldCause } from './api-error.js';
import type { ResourceDefinition, SimMeta, SimObject } from './types.js';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const LABEL_KEY =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const ANNOTATION_BYTES = 256 * 1024;

export const rfc3339 = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z');

/** Five characters as the API server makes them: no vowels, no look-alikes. */
function nameSuffix(): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return [...randomBytes(5)].map((byte) => alphabet[byte % alphabet.length]).join('');
}

/** What the server itself writes into the metadata of a new object. */
export function fillNewMeta(
  resource: ResourceDefinition,
  object: SimObject,
  namespace: string | undefined,
  now: Date,
): void {
  const { metadata } = object;
  if (!metadata.name && metadata.generateName) metadata.name = `${metadata.generateName}${nameSuffix()}`;
  if (namespace !== undefined && resource.namespaced) metadata.namespace = namespace;
  if (!resource.namespaced) delete metadata.namespace;
  metadata.uid = randomUUID();
  metadata.creationTimestamp = rfc3339(now);
  for (const field of [
    'resourceVersion',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'selfLink',
    'managedFields',
  ]) {
    delete metadata[field];
  }
}

const SERVER_OWNED = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'namespace',
  'name',
  'generateName',
];

/** Puts back what a client may not change. */
export function keepServerMeta(object: SimObject, old: SimObject): void {
  for (const field of SERVER_OWNED) {
    if (old.metadata[field] === undefined) delete object.metadata[field];
    else object.metadata[field] = old.metadata[field];
  }
  delete object.metadata.managedFields;
  delete object.metadata.selfLink;
}

/** Name, labels and annotations (kubernetes.io, "Object Names and IDs", "Labels and Selectors"). */
export function validateMeta(metadata: SimMeta): FieldCause[] {
  const causes: FieldCause[] = [];
  if (!metadata.name) {
    causes.push({
      reason: 'FieldValueRequired',
      message: 'Required value: name or generateName is required',
      field: 'metadata.name',
    });
  } else if (!isObjectName(metadata.name)) {
    causes.push(invalidName(metadata.name));
  }
  for (const [key, value] of Object.entries(metadata.labels ?? {})) causes.push(...validateLabel(key, value));
  const bytes = Object.entries(metadata.annotations ?? {}).reduce(
    (sum, [key, value]) => sum + key.length + Buffer.byteLength(String(value)),
    0,
  );
  if (bytes > ANNOTATION_BYTES) {
    causes.push({
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${ANNOTATION_BYTES} bytes`,
      field: 'metadata.annotations',
    });
  }
  return causes;
}

/** RBAC names such as `system:node` have colons; every other kind takes RFC 1123 subdomains. */
const isObjectName = (name: string): boolean =>
  name.length <= 253 && name.split(':').every((part) => SUBDOMAIN.test(part));

const invalidName = (name: string): FieldCause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: "${name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
  field: 'metadata.name',
});

function validateLabel(key: string, value: string): FieldCause[] {
  const bad = (shown: string, why: string): FieldCause => ({
    reason: 'FieldValueInvalid',
    message: `Invalid value: "${shown}": ${why}`,
    field: 'metadata.labels',
  });
  const causes: FieldCause[] = [];
  if (!LABEL_KEY.test(key))
    causes.push(
      bad(
        key,
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      ),
    );
  if (String(value).length > 63) causes.push(bad(value, 'must be no more than 63 bytes'));
  else if (!LABEL_VALUE.test(String(value))) {
    causes.push(
      bad(
        value,
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      ),
    );
  }
  return causes;
}
