import { type FieldError, forbidden, invalid, notSupported, required, Verbatim } from '../../field-error.js';
import { formatQuantity, parseQuantity } from '../../quantity.js';
import { GO_ADDRESS } from '../../schema/go-syntax.js';
import { type Fields, invalidForEach, isSet, listOf, recordOf, textOf } from '../fields.js';
import { validateAnnotations, validateLabels } from '../metadata.js';
import { checkDnsLabel, checkDnsSubdomain } from '../names.js';
import { validateLabelSelector } from '../selector.js';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];
const VOLUME_MODES = ['Block', 'Filesystem'];
const FORBIDDEN_METADATA = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uID',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'finalizers',
  'managedFields',
];

/** `volumeClaimTemplate` of an ephemeral volume. */
export function validateClaimTemplate(template: Fields, path: string): FieldError[] {
  return [
    ...validateTemplateMetadata(recordOf(template.metadata), `${path}.metadata`),
    ...validateClaimSpec(recordOf(template.spec), `${path}.spec`),
  ];
}

function validateTemplateMetadata(metadata: Fields, path: string): FieldError[] {
  const others = FORBIDDEN_METADATA.filter((name) => isSet(metadata[name === 'uID' ? 'uid' : name]));
  return [
    ...validateAnnotations(recordOf(metadata.annotations), `${path}.annotations`),
    ...validateLabels(recordOf(metadata.labels), `${path}.labels`),
    ...others.map((name) => forbidden(`${path}.${name}`, 'cannot be set')),
  ];
}

function validateClaimSpec(spec: Fields, path: string): FieldError[] {
  const modes = listOf(spec.accessModes).map(textOf);
  const storageClass = textOf(spec.storageClassName);
  const mode = textOf(spec.volumeMode);
  return [
    ...(modes.length === 0 ? [required(`${path}.accessModes`, 'at least 1 access mode is required')] : []),
    ...(isSet(spec.selector) ? validateLabelSelector(recordOf(spec.selector), `${path}.selector`) : []),
    ...validateAccessModes(modes, `${path}.accessModes`),
    ...validateStorage(recordOf(recordOf(spec.resources).requests).storage, `${path}.resources[storage]`),
    ...(storageClass === ''
      ? []
      : invalidForEach(`${path}.storageClassName`, storageClass, checkDnsSubdomain(storageClass))),
    ...(isSet(spec.volumeMode) && !VOLUME_MODES.includes(mode)
      ? [notSupported(`${path}.volumeMode`, mode, VOLUME_MODES)]
      : []),
    ...['dataSource', 'dataSourceRef'].flatMap((name) =>
      isSet(spec[name]) ? validateDataSource(recordOf(spec[name]), `${path}.${name}`) : [],
    ),
    ...validateDataSourcePair(spec, path),
  ];
}

function validateAccessModes(modes: string[], path: string): FieldError[] {
  const errors = modes
    .filter((mode) => !ACCESS_MODES.includes(mode))
    .map((mode) => notSupported(path, mode, ACCESS_MODES));
  const others = modes.filter((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode));
  if (modes.includes('ReadWriteOncePod') && others.length > 0) {
    errors.push(forbidden(path, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

function validateStorage(storage: unknown, path: string): FieldError[] {
  if (!isSet(storage)) return [required(path)];
  const quantity = parseQuantity(storage as string | number);
  return quantity.unscaled > 0n ? [] : [invalid(path, formatQuantity(quantity), 'must be greater than zero')];
}

function validateDataSource(source: Fields, path: string): FieldError[] {
  const kind = textOf(source.kind);
  const group = textOf(source.apiGroup);
  const namespace = textOf(source.namespace);
  const errors: FieldError[] = [];
  if (textOf(source.name) === '') errors.push(required(`${path}.name`));
  if (kind === '') errors.push(required(`${path}.kind`));
  if (group === '' && kind !== 'PersistentVolumeClaim') {
    errors.push(invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
  }
  if (group !== '') errors.push(...invalidForEach(`${path}.apiGroup`, group, checkDnsSubdomain(group)));
  if (namespace !== '') errors.push(...invalidForEach(`${path}.namespace`, namespace, checkDnsLabel(namespace)));
  return errors;
}

function validateDataSourcePair(spec: Fields, path: string): FieldError[] {
  if (!isSet(spec.dataSource) || !isSet(spec.dataSourceRef)) return [];
  const source = recordOf(spec.dataSource);
  const ref = recordOf(spec.dataSourceRef);
  const shown = new Verbatim(`field.Path{name:"dataSource", index:"", parent:(*field.Path)(${GO_ADDRESS})}`);
  if (textOf(ref.namespace) !== '') {
    return [invalid(path, shown, 'may not be specified when dataSourceRef.namespace is specified')];
  }
  const isSame = ['apiGroup', 'kind', 'name'].every((name) => (source[name] ?? null) === (ref[name] ?? null));
  return isSame ? [] : [invalid(path, shown, 'must match dataSourceRef')];
}
