import { duplicate, type FieldError, forbidden, invalid, required } from '../../field-error.js';
import { type Fields, forEachIndex, invalidForEach, isSet, recordOf, recordsOf, textOf } from '../fields.js';
import { checkDnsLabel, checkDnsSubdomain } from '../names.js';
import { validateClaimTemplate } from './claim-template.js';
import type { Volumes } from './mounts.js';
import { POD_NAME } from './pod-name.js';
import { VOLUME_SOURCES } from './volume-sources.js';

/** `spec.volumes` of a pod: what is wrong, and the volumes that are not, which containers may mount. */
export function validateVolumes(volumes: unknown, path: string): { errors: FieldError[]; valid: Volumes } {
  const valid = new Map<string, Fields>();
  const created = new Set(
    recordsOf(volumes)
      .filter((volume) => isSet(volume.ephemeral))
      .map((volume) => `${POD_NAME}-${textOf(volume.name)}`),
  );
  const errors = forEachIndex(volumes, path, (volume, at) => {
    const name = textOf(volume.name);
    const own = [...validateSources(volume, at), ...validateVolumeName(name, `${at}.name`)];
    if (valid.has(name)) own.push(duplicate(`${at}.name`, name));
    if (own.length === 0) valid.set(name, volume);
    return [...own, ...validateClaimIsNotCreated(volume, created, at)];
  });
  return { errors, valid };
}

function validateVolumeName(name: string, path: string): FieldError[] {
  return name === '' ? [required(path)] : invalidForEach(path, name, checkDnsLabel(name));
}

function validateClaimIsNotCreated(volume: Fields, created: ReadonlySet<string>, path: string): FieldError[] {
  const claim = textOf(recordOf(volume.persistentVolumeClaim).claimName);
  if (!created.has(claim)) return [];
  const rule = 'must not reference a PVC that gets created for an ephemeral volume';
  return [invalid(`${path}.persistentVolumeClaim.claimName`, claim, rule)];
}

function validateSources(volume: Fields, path: string): FieldError[] {
  let sources = 0;
  const errors: FieldError[] = [];
  for (const { name, forbiddenAs, field, validate } of VOLUME_SOURCES) {
    if (!isSet(volume[name])) continue;
    sources += 1;
    const source = recordOf(volume[name]);
    if (sources > 1)
      errors.push(forbidden(`${path}.${forbiddenAs ?? name}`, 'may not specify more than 1 volume type'));
    else errors.push(...validate(source, `${path}.${field ?? name}`));
    if (name === 'iscsi') errors.push(...validateInitiatorLength(source, textOf(volume.name), path));
    if (name === 'ephemeral' && sources === 1) errors.push(...validateEphemeral(source, textOf(volume.name), path));
  }
  if (sources === 0) errors.push(required(path, 'must specify a volume type'));
  return errors;
}

const LONGEST_INITIATOR = 64;

function validateInitiatorLength(iscsi: Fields, name: string, path: string): FieldError[] {
  const length = Buffer.byteLength(`${name}:${textOf(iscsi.targetPortal)}`);
  if (!isSet(iscsi.initiatorName) || length <= LONGEST_INITIATOR) return [];
  const rule =
    'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
  return [invalid(`${path}.name`, name, rule)];
}

function validateEphemeral(ephemeral: Fields, name: string, path: string): FieldError[] {
  const at = `${path}.ephemeral.volumeClaimTemplate`;
  const errors = isSet(ephemeral.volumeClaimTemplate)
    ? validateClaimTemplate(recordOf(ephemeral.volumeClaimTemplate), at)
    : [required(at)];
  if (name === '') return errors;
  const claim = `${POD_NAME}-${name}`;
  return [
    ...errors,
    ...checkDnsSubdomain(claim).map((problem) => invalid(`${path}.name`, name, `PVC name "${claim}": ${problem}`)),
  ];
}
