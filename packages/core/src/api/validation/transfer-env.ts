import type { FieldError } from '../field-error.js';
import type { TransferEnvVar } from '../sidecarset.js';
import { recordOf } from './fields.js';
import { splitSubscript, validateFieldRef } from './pod/downward-api.js';

const FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name'];

/** OpenKruise resolves labels and annotations by key, and nothing else. */
function unsupportedField(apiVersion: string, fieldPath: string): string | undefined {
  if (apiVersion !== 'v1') return `unsupported pod version: ${apiVersion}`;
  const { path, key } = splitSubscript(fieldPath);
  if (key === undefined) return `field label not supported: ${fieldPath}`;
  const isMap = path === 'metadata.annotations' || path === 'metadata.labels';
  return isMap ? undefined : `field label does not support subscript: ${fieldPath}`;
}

/** `transferEnv` of a sidecar: where the name of the source container comes from. */
export function validateTransferEnv(transferEnv: TransferEnvVar[] | undefined, path: string): FieldError[] {
  return (transferEnv ?? []).flatMap(({ sourceContainerNameFrom }) => {
    const ref = sourceContainerNameFrom?.fieldRef;
    return ref ? validateFieldRef(recordOf(ref), `${path}.fieldRef`, FIELDS, unsupportedField) : [];
  });
}
