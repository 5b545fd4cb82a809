import {
  type ControllerRevision,
  fieldErrorBody,
  formatFieldErrors,
  invalidSidecarSetMessage,
  lookupOf,
  type SidecarSet,
  validateAgainstSchema,
  validateSidecarSet,
  Whitelist,
} from '@sidestep/core';

/** A write that was refused. */
export interface WriteRefusal {
  status: number;
  message: string;
  reason?: string;
  details?: unknown;
}

interface WriteContext {
  old: SidecarSet | undefined;
  others: SidecarSet[];
  revisions: ControllerRevision[];
  /** Data of the ConfigMap with the whitelist. */
  configuration: Record<string, string> | undefined;
}

/** What the API server itself refuses between the two webhooks: the name, and what the CRD's schema says. */
export function refusalByServer(set: SidecarSet): WriteRefusal | undefined {
  const errors = validateAgainstSchema(set);
  if (errors.length === 0) return undefined;
  const causes = errors.map((error) => ({ reason: error.type, message: fieldErrorBody(error), field: error.field }));
  const details = { name: set.metadata.name, group: 'apps.kruise.io', kind: 'SidecarSet', causes };
  return { status: 422, reason: 'Invalid', message: invalidSidecarSetMessage(set, errors), details };
}

/** What the validating webhook answers to a set that the mutating one has been through. */
export function refusalByWebhook(set: SidecarSet, context: WriteContext): WriteRefusal | undefined {
  const { old, others, revisions, configuration } = context;
  const errors = validateSidecarSet(set, {
    ...(old ? { old } : {}),
    others,
    revisions: lookupOf(revisions),
    whitelist: Whitelist.parse(configuration),
  });
  return errors.length === 0 ? undefined : { status: 422, message: formatFieldErrors(errors) };
}
