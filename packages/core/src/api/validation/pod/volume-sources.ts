import { type FieldError, forbidden, invalid, notSupported, required } from '../../field-error.js';
import { parseQuantity } from '../../quantity.js';
import { type Fields, invalidForEach, isSet, listOf, numberOf, recordOf, textOf } from '../fields.js';
import { checkDnsLabel, checkDnsSubdomain, outOfRange } from '../names.js';
import { validateDownwardApi } from './downward-api-files.js';
import { validateFileMode, validateNoParentSteps, validateRelativePath } from './paths.js';
import { validateKeys, validateProjected } from './projected.js';
import {
  validateAzureDisk,
  validateFibreChannel,
  validateFlexVolume,
  validateFlocker,
  validateIscsi,
  validateQuobyte,
} from './vendor-volumes.js';

interface VolumeSource {
  name: string;
  /** Where Kubernetes' path for "more than one" differs from the field's name, slips included. */
  forbiddenAs?: string;
  /** Where its path for the contents differs. */
  field?: string;
  validate(source: Fields, path: string): FieldError[];
}

/** Requires non-empty fields, in this order. */
const needs =
  (...names: string[]) =>
  (source: Fields, path: string): FieldError[] =>
    names.filter((name) => textOf(source[name]) === '').map((name) => required(`${path}.${name}`));

const needsList = (name: string) => (source: Fields, path: string) =>
  listOf(source[name]).length === 0 ? [required(`${path}.${name}`)] : [];

const all =
  (...checks: ((source: Fields, path: string) => FieldError[])[]) =>
  (source: Fields, path: string): FieldError[] =>
    checks.flatMap((check) => check(source, path));

const secretName = (source: Fields, path: string): FieldError[] =>
  isSet(source.secretRef) && textOf(recordOf(source.secretRef).name) === '' ? [required(`${path}.secretRef.name`)] : [];

const partition = (source: Fields, path: string): FieldError[] => {
  const value = numberOf(source.partition);
  return value >= 0 && value <= 255 ? [] : [invalid(`${path}.partition`, value, outOfRange(1, 255))];
};

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

function validateHostPath(source: Fields, path: string): FieldError[] {
  const hostPath = textOf(source.path);
  if (hostPath === '') return [required(`${path}.path`)];
  const errors = validateNoParentSteps(hostPath, `${path}.path`);
  const type = textOf(source.type);
  return HOST_PATH_TYPES.includes(type) ? errors : [...errors, notSupported(`${path}.type`, type, HOST_PATH_TYPES)];
}

function validateEmptyDir({ sizeLimit }: Fields, path: string): FieldError[] {
  if (!isSet(sizeLimit) || parseQuantity(sizeLimit as string | number).unscaled >= 0n) return [];
  return [forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')];
}

const keyFiles =
  (nameField: string) =>
  (source: Fields, path: string): FieldError[] => [
    ...needs(nameField)(source, path),
    ...validateFileMode(source.defaultMode, `${path}.defaultMode`),
    ...validateKeys(source.items, `${path}.items`),
  ];

function validateNfs(source: Fields, path: string): FieldError[] {
  const exported = textOf(source.path);
  const errors = needs('server', 'path')(source, path);
  return exported.startsWith('/') ? errors : [...errors, invalid(`${path}.path`, exported, 'must be an absolute path')];
}

function validateCsi(source: Fields, path: string): FieldError[] {
  const driver = textOf(source.driver);
  const errors = needs('driver')(source, path);
  const at = `${path}.driver`;
  if (Buffer.byteLength(driver) > 63) {
    errors.push({ type: 'FieldValueTooLong', field: at, detail: 'may not be more than 63 bytes' });
  }
  errors.push(...invalidForEach(at, driver, checkDnsSubdomain(driver.toLowerCase())));
  if (!isSet(source.nodePublishSecretRef)) return errors;
  const secret = textOf(recordOf(source.nodePublishSecretRef).name);
  if (secret === '') return [...errors, required(`${path}.nodePublishSecretRef.name`)];
  return [...errors, ...invalidForEach(`${path}.name`, secret, checkDnsSubdomain(secret))];
}

function validateStorageOs(source: Fields, path: string): FieldError[] {
  const name = textOf(source.volumeName);
  const namespace = textOf(source.volumeNamespace);
  return [
    ...(name === ''
      ? [required(`${path}.volumeName`)]
      : invalidForEach(`${path}.volumeName`, name, checkDnsLabel(name))),
    ...(namespace === '' ? [] : invalidForEach(`${path}.volumeNamespace`, namespace, checkDnsLabel(namespace))),
    ...secretName(source, path),
  ];
}

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

function validateImage(source: Fields, path: string): FieldError[] {
  const policy = textOf(source.pullPolicy);
  if (policy === '') return [required(`${path}.pullPolicy`)];
  return PULL_POLICIES.includes(policy) ? [] : [notSupported(`${path}.pullPolicy`, policy, PULL_POLICIES)];
}

const gitDirectory = (source: Fields, path: string): FieldError[] =>
  validateRelativePath(textOf(source.directory), `${path}.directory`);

/** Every volume source of Kubernetes 1.32, in the order in which it looks at them. */
export const VOLUME_SOURCES: readonly VolumeSource[] = [
  { name: 'emptyDir', validate: validateEmptyDir },
  { name: 'hostPath', validate: validateHostPath },
  { name: 'gitRepo', validate: all(needs('repository'), gitDirectory) },
  { name: 'gcePersistentDisk', field: 'persistentDisk', validate: all(needs('pdName'), partition) },
  { name: 'awsElasticBlockStore', validate: all(needs('volumeID'), partition) },
  { name: 'secret', validate: keyFiles('secretName') },
  { name: 'nfs', validate: validateNfs },
  { name: 'iscsi', validate: validateIscsi },
  { name: 'glusterfs', validate: needs('endpoints', 'path') },
  { name: 'flocker', validate: validateFlocker },
  { name: 'persistentVolumeClaim', validate: needs('claimName') },
  { name: 'rbd', validate: all(needsList('monitors'), needs('image')) },
  { name: 'cinder', validate: all(needs('volumeID'), secretName) },
  { name: 'cephfs', forbiddenAs: 'cephFS', validate: needsList('monitors') },
  { name: 'quobyte', validate: validateQuobyte },
  { name: 'downwardAPI', forbiddenAs: 'downwarAPI', validate: validateDownwardApi },
  { name: 'fc', validate: validateFibreChannel },
  { name: 'flexVolume', validate: all(needs('driver'), validateFlexVolume) },
  { name: 'configMap', validate: keyFiles('name') },
  { name: 'azureFile', validate: needs('secretName', 'shareName') },
  { name: 'vsphereVolume', validate: needs('volumePath') },
  { name: 'photonPersistentDisk', validate: needs('pdID') },
  { name: 'portworxVolume', validate: needs('volumeID') },
  { name: 'azureDisk', validate: validateAzureDisk },
  { name: 'storageos', validate: validateStorageOs },
  { name: 'projected', validate: validateProjected },
  { name: 'scaleIO', validate: needs('gateway', 'system', 'volumeName') },
  { name: 'csi', validate: validateCsi },
  { name: 'ephemeral', validate: () => [] },
  { name: 'image', validate: validateImage },
];
