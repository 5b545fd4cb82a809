import { type FieldError, invalid, notSupported, required, Verbatim } from '../../field-error.js';
import { type Fields, isSet, listOf, numberOf, recordOf, textOf } from '../fields.js';
import { outOfRange } from '../names.js';

const IQN = /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9-.]+)(:[^,;*&$|\s]+)$/;
const EUI = /^eui.[a-zA-Z0-9]{16}$/;
const NAA = /^naa.[a-zA-Z0-9]{32}$/;
const INITIATOR_FORMATS: Record<string, RegExp> = { iqn: IQN, eui: EUI, naa: NAA };

function checkInitiator(name: string): string[] {
  const format = INITIATOR_FORMATS[name.slice(0, 3)];
  if (format === undefined) return ['must be valid format starting with iqn, eui, or naa'];
  return format.test(name) ? [] : ['must be valid format'];
}

const validateLun = (lun: number, path: string): FieldError[] =>
  lun >= 0 && lun <= 255 ? [] : [invalid(`${path}.lun`, lun, outOfRange(0, 255))];

export function validateIscsi(source: Fields, path: string): FieldError[] {
  const iqn = textOf(source.iqn);
  const initiator = textOf(source.initiatorName);
  const usesChap = source.chapAuthDiscovery === true || source.chapAuthSession === true;
  return [
    ...(textOf(source.targetPortal) === '' ? [required(`${path}.targetPortal`)] : []),
    ...(iqn === ''
      ? [required(`${path}.iqn`)]
      : checkInitiator(iqn).map((problem) => invalid(`${path}.iqn`, iqn, problem))),
    ...validateLun(numberOf(source.lun), path),
    ...(usesChap && !isSet(source.secretRef) ? [required(`${path}.secretRef`)] : []),
    ...(isSet(source.initiatorName)
      ? checkInitiator(initiator).map((problem) => invalid(`${path}.initiatorname`, initiator, problem))
      : []),
  ];
}

export function validateFlocker(source: Fields, path: string): FieldError[] {
  const name = textOf(source.datasetName);
  const uuid = textOf(source.datasetUUID);
  const errors: FieldError[] = [];
  if (name === '' && uuid === '') errors.push(required(path, 'one of datasetName and datasetUUID is required'));
  if (name !== '' && uuid !== '') {
    errors.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  }
  if (name.includes('/')) errors.push(invalid(`${path}.datasetName`, name, "must not contain '/'"));
  return errors;
}

export function validateQuobyte(source: Fields, path: string): FieldError[] {
  const registry = textOf(source.registry);
  const rule = 'must be a host:port pair or multiple pairs separated by commas';
  const errors: FieldError[] = [];
  if (registry === '') errors.push(required(`${path}.registry`, rule));
  else if (Buffer.byteLength(textOf(source.tenant)) >= 65) {
    errors.push(required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  } else {
    const wrong = registry.split(',').filter((pair) => !/^(?:[^:[\]]*|\[[^[\]]*\]):[^:[\]]*$/.test(pair));
    errors.push(...wrong.map(() => invalid(`${path}.registry`, registry, rule)));
  }
  return textOf(source.volume) === '' ? [...errors, required(`${path}.volume`)] : errors;
}

export function validateFibreChannel(source: Fields, path: string): FieldError[] {
  const targets = listOf(source.targetWWNs);
  const errors: FieldError[] = [];
  const at = `${path}.targetWWNs`;
  if (targets.length === 0 && listOf(source.wwids).length === 0) {
    errors.push(required(at, 'must specify either targetWWNs or wwids, but not both'));
  }
  if (targets.length === 0) return errors;
  if (listOf(source.wwids).length > 0) {
    const shown = new Verbatim(`[]string{${targets.map((each) => JSON.stringify(each)).join(', ')}}`);
    errors.push(invalid(at, shown, 'targetWWNs and wwids can not be specified simultaneously'));
  }
  if (!isSet(source.lun)) return [...errors, required(`${path}.lun`, 'lun is required if targetWWNs is specified')];
  return [...errors, ...validateLun(numberOf(source.lun), path)];
}

export function validateFlexVolume(source: Fields, path: string): FieldError[] {
  return Object.keys(recordOf(source.options))
    .sort()
    .filter((key) => /(^|\.)(kubernetes|k8s)\.io$/.test((key.split('/')[0] ?? '').toLowerCase()))
    .map((key) => invalid(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'));
}

const CACHING_MODES = ['None', 'ReadOnly', 'ReadWrite'];
const DISK_KINDS = ['Dedicated', 'Managed', 'Shared'];
const MANAGED_DISK = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const BLOB_DISK = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

export function validateAzureDisk(source: Fields, path: string): FieldError[] {
  const uri = textOf(source.diskURI);
  const errors: FieldError[] = [];
  if (textOf(source.diskName) === '') errors.push(required(`${path}.diskName`));
  if (uri === '') errors.push(required(`${path}.diskURI`));
  for (const [name, allowed] of [['cachingMode', CACHING_MODES] as const, ['kind', DISK_KINDS] as const]) {
    const value = textOf(source[name]);
    if (isSet(source[name]) && !allowed.includes(value)) errors.push(notSupported(`${path}.${name}`, value, allowed));
  }
  if (!isSet(source.kind)) return errors;
  const [prefix, form] = source.kind === 'Managed' ? ['/subscriptions/', MANAGED_DISK] : ['https://', BLOB_DISK];
  return uri.startsWith(prefix) ? errors : [...errors, notSupported(`${path}.diskURI`, uri, [form])];
}
