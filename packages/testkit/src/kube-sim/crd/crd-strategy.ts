import type { FieldCause } from '../api-error.js';
import type { CrdObject } from '../kinds.js';
import { rfc3339 } from '../meta.js';
import type { Strategy } from '../strategy.js';

/** CustomResourceDefinitions are established at once: their status says so from the first read. */
export const crdStrategy = (plain: Strategy): Strategy => ({
  ...plain,
  default(object) {
    const { names } = (object as CrdObject).spec ?? {};
    if (!names?.kind) return;
    names.listKind ??= `${names.kind}List`;
    names.singular ??= names.kind.toLowerCase();
    (object as CrdObject).spec.conversion ??= { strategy: 'None' };
  },
  prepareCreate(object) {
    object.metadata.generation = 1;
    establish(object as CrdObject);
  },
  prepareUpdate(object, old) {
    plain.prepareUpdate(object, old);
    object.status = old.status;
    establish(object as CrdObject);
  },
  validate: (object) => validateCrd(object as CrdObject),
});

function establish(crd: CrdObject): void {
  const old = crd.status as { storedVersions?: string[]; conditions?: object[] } | undefined;
  const stored = crd.spec.versions?.find((version) => version.storage)?.name;
  const since = rfc3339(new Date());
  const condition = (type: string, reason: string, message: string): object => ({
    type,
    status: 'True',
    lastTransitionTime: since,
    reason,
    message,
  });
  crd.status = {
    conditions: old?.conditions ?? [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    acceptedNames: crd.spec.names,
    storedVersions: [...new Set([...(old?.storedVersions ?? []), ...(stored ? [stored] : [])])],
  };
}

function validateCrd(crd: CrdObject): FieldCause[] {
  const required = (field: string): FieldCause => ({ reason: 'FieldValueRequired', message: 'Required value', field });
  const { group, names, versions, scope } = crd.spec ?? ({} as Partial<CrdObject['spec']>);
  const causes: FieldCause[] = [];
  if (!group) causes.push(required('spec.group'));
  if (!scope) causes.push(required('spec.scope'));
  if (!names?.plural) causes.push(required('spec.names.plural'));
  if (!names?.kind) causes.push(required('spec.names.kind'));
  if ((versions ?? []).filter((version) => version.storage).length !== 1) {
    causes.push({
      reason: 'FieldValueInvalid',
      message: 'Invalid value: must have exactly one version marked as storage version',
      field: 'spec.versions',
    });
  }
  if (names?.plural && group && crd.metadata.name !== `${names.plural}.${group}`) {
    const message = `Invalid value: "${crd.metadata.name}": must be spec.names.plural+"."+spec.group`;
    causes.push({ reason: 'FieldValueInvalid', message, field: 'metadata.name' });
  }
  for (const [index, version] of (versions ?? []).entries()) {
    if (!version.schema?.openAPIV3Schema) causes.push(required(`spec.versions[${index}].schema.openAPIV3Schema`));
  }
  return causes;
}
