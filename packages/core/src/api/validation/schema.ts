import { type FieldError, formatFieldErrors } from '../field-error.js';
import { crdSchema } from '../schema/crd-schema.js';
import { schemaErrors } from '../schema/schema-errors.js';
import { SIDECARSET } from '../schema/sidecarset-types.js';
import type { SidecarSet } from '../sidecarset.js';
import { isV1alpha1 } from '../versions.js';
import { invalidForEach } from './fields.js';
import { checkDnsSubdomain } from './names.js';

const SCHEMAS = {
  v1alpha1: crdSchema(SIDECARSET.v1alpha1).properties?.spec ?? {},
  v1beta1: crdSchema(SIDECARSET.v1beta1).properties?.spec ?? {},
};

/**
 * What the API server refuses by the CRD and by its own rules for names, after the mutating webhook and before the validating
 * one. Where there is an API server it needs no asking; this is for tools that work without one.
 */
export function validateAgainstSchema(set: SidecarSet): FieldError[] {
  const { name = '' } = set.metadata;
  return [
    ...invalidForEach('metadata.name', name, checkDnsSubdomain(name)),
    ...schemaErrors(SCHEMAS[isV1alpha1(set) ? 'v1alpha1' : 'v1beta1'], set.spec, 'spec'),
  ];
}

/** The message of the API server's refusal (HTTP 422, reason `Invalid`). */
export function invalidSidecarSetMessage(set: SidecarSet, errors: readonly FieldError[]): string {
  return `SidecarSet.apps.kruise.io "${set.metadata.name ?? ''}" is invalid: ${formatFieldErrors(errors)}`;
}
